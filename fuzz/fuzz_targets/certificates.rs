//! Certificates and states of an operator, what is shown of them in a handshake, and passwords as
//! people type them.
//!
//! The first byte chooses the kind.

#![no_main]

use libfuzzer_sys::fuzz_target;
use lotse_protocol::certificate::{
    CertifiedDevice, CertifiedTechnician, PublicKey, SignedCertificate, SignedState, from_hex,
    to_hex,
};
use lotse_protocol::handshake::Password;
use lotse_protocol::message::decode;

/// The root whose seeds are in the corpus: signatures of nobody else count.
const ROOT: PublicKey = PublicKey([
    0xea, 0x4a, 0x6c, 0x63, 0xe2, 0x9c, 0x52, 0x0a, 0xbe, 0xf5, 0x50, 0x7b, 0x13, 0x2e, 0xc5, 0xf9,
    0x95, 0x47, 0x76, 0xae, 0xbe, 0xbe, 0x7b, 0x92, 0x42, 0x1e, 0xea, 0x69, 0x14, 0x46, 0xd2, 0x2c,
]);

fuzz_target!(|data: &[u8]| {
    let Some((kind, bytes)) = data.split_first() else { return };
    match kind % 5 {
        0 => {
            if let Ok(signed) = SignedCertificate::decode(bytes) {
                assert_eq!(signed.encode(), bytes, "a certificate has one spelling");
                let read = signed.unchecked();
                if let Some(checked) = signed.certificate(ROOT) {
                    assert_eq!(read, Some(checked));
                }
            }
        }
        1 => {
            if let Ok(signed) = SignedState::decode(bytes) {
                assert_eq!(signed.encode(), bytes, "a state has one spelling");
                let _ = signed.state(ROOT);
            }
        }
        2 => {
            let _ = decode::<CertifiedDevice>(bytes);
        }
        3 => {
            let _ = decode::<CertifiedTechnician>(bytes);
        }
        _ => {
            let Ok(text) = std::str::from_utf8(bytes) else { return };
            let _ = Password::spoken(text);
            let _ = Password::link(text);
            if let Ok(bytes) = from_hex(text) {
                assert_eq!(to_hex(&bytes), text.trim().to_ascii_lowercase());
            }
        }
    }
});
