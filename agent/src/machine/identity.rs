//! Who this machine is for its operator, and whom it lets in by certificate.
//!
//! The key is made at the first start and never leaves this process: the one that talks to the
//! network asks for a signature, once for each number that the person here has typed, and what a
//! technician shows is checked here. Whoever takes the other process over can show a code of his
//! choice, but no certificate.

use std::time::SystemTime;

use anyhow::Context as _;
use lotse_protocol::certificate::{
    self, CertifiedDevice, CertifiedTechnician, KeyPair, Known, Memory, NotCertified, OwnDevice,
    PublicKey, SignedCertificate,
};
use rand_core::OsRng;

use super::keep::Keep;

/// The key and the machine that it was made on.
const KEY_FILE: &str = "identity";

/// What must be remembered of the operator's states.
const MEMORY_FILE: &str = "operator";

/// Where systems say which machine this is (machine-id(5)).
const MACHINE_ID: &str = "/etc/machine-id";

/// This machine's identity.
#[derive(Debug)]
pub(super) struct Identity {
    keep: Keep,
    own: Option<OwnDevice>,
    memory: Memory,
    question: Question,
}

/// What was asked of the technician in the join of the moment.
#[derive(Debug, Clone, Copy)]
enum Question {
    /// Nothing yet.
    Open,
    /// To sign this nonce.
    Asked([u8; 32]),
    /// He has answered, rightly or not.
    Answered,
}

/// What the operator has said about this machine, from the configuration.
#[derive(Debug, Clone)]
pub struct Enrolment {
    /// The operator's root.
    pub root: PublicKey,
    /// This machine's certificate.
    pub certificate: SignedCertificate,
}

impl Identity {
    /// Reads the key, or makes one; enrolled as the configuration says.
    ///
    /// # Errors
    /// When the certificate in the configuration is not for this machine's key.
    pub(super) fn open(keep: Keep, enrolment: Option<&Enrolment>) -> anyhow::Result<Self> {
        let key = own_key(&keep)?;
        let memory = keep.read(MEMORY_FILE).ok().flatten();
        let memory = memory.and_then(|bytes| postcard::from_bytes(&bytes).ok());
        let own = enrolment.map(|Enrolment { root, certificate }| {
            let entry = certificate
                .certificate(*root)
                .context("operator.certificate is not signed by operator.root")?;
            anyhow::ensure!(
                entry.subject == key.public(),
                "operator.certificate is for another machine; this one's key is {}",
                certificate::to_hex(&key.public().0)
            );
            Ok(OwnDevice { key, certificate: certificate.clone(), root: *root })
        });
        Ok(Self {
            keep,
            own: own.transpose()?,
            memory: memory.unwrap_or_default(),
            question: Question::Open,
        })
    }

    /// The operator's root, if this machine is enrolled.
    pub(super) fn operator(&self) -> Option<PublicKey> {
        self.own.as_ref().map(|own| own.root)
    }

    /// Another number was typed: one signature may be given.
    pub(super) fn begin(&mut self) {
        self.question = Question::Open;
    }

    /// Signs a handshake, once for each join.
    pub(super) fn sign(&mut self, transcript: &[u8; 32]) -> Option<CertifiedDevice> {
        let own = self.own.as_ref().filter(|_| matches!(self.question, Question::Open))?;
        let proof = certificate::identify_device(own, transcript, &mut OsRng);
        self.question = Question::Asked(proof.nonce);
        Some(proof)
    }

    /// Checks what a technician shows, and remembers for good what was learnt by it.
    ///
    /// # Errors
    /// [`NotCertified`]
    pub(super) fn check(
        &mut self,
        technician: &CertifiedTechnician,
        transcript: &[u8; 32],
        clock: SystemTime,
    ) -> Result<Known, NotCertified> {
        let own = self.own.as_ref().ok_or(NotCertified::Malformed)?;
        // The answer to this very question, and to it once.
        let Question::Asked(nonce) = std::mem::replace(&mut self.question, Question::Answered)
        else {
            return Err(NotCertified::Signature);
        };
        let clock = clock.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        let seen = (&nonce, transcript);
        let known = certificate::check_technician(technician, seen, own, self.memory, clock)?;
        if known.memory != self.memory {
            self.memory = known.memory;
            let bytes = postcard::to_allocvec(&self.memory).unwrap_or_default();
            if let Err(error) = self.keep.write(MEMORY_FILE, &bytes) {
                log::warn!("what the operator has taken back is forgotten at a restart: {error}");
            }
        }
        Ok(known)
    }
}

#[cfg(test)]
impl Identity {
    /// What the network process sees in the machine's proof.
    pub(super) fn nonce_of_tests(&self) -> Option<[u8; 32]> {
        match self.question {
            Question::Asked(nonce) => Some(nonce),
            Question::Open | Question::Answered => None,
        }
    }
}

/// This machine's public key in hexadecimal digits; the key is made if there is none yet.
///
/// # Errors
/// When the key cannot be read or kept.
pub fn public_key(folder: &std::path::Path) -> anyhow::Result<String> {
    let keep = Keep::open(folder);
    let key = own_key(&keep)?;
    anyhow::ensure!(
        keep.read(KEY_FILE).is_ok_and(|kept| kept.is_some()),
        "the key of this machine cannot be kept in {}",
        folder.display()
    );
    Ok(certificate::to_hex(&key.public().0))
}

/// The key that was kept, unless the file comes from another machine; else a new one.
fn own_key(keep: &Keep) -> anyhow::Result<KeyPair> {
    let machine = std::fs::read_to_string(MACHINE_ID).unwrap_or_default();
    let kept = keep.read(KEY_FILE).context("read the key of this machine")?;
    if let Some((secret, bound_to)) = kept.as_deref().and_then(|kept| kept.split_first_chunk()) {
        if bound_to == machine.trim().as_bytes() {
            return Ok(KeyPair::from_secret(secret));
        }
        log::error!("the key in {KEY_FILE} was made on another machine; it is put aside");
        keep.put_aside(KEY_FILE);
    }
    let key = KeyPair::generate(&mut OsRng);
    let content = [&key.secret()[..], machine.trim().as_bytes()].concat();
    if let Err(error) = keep.write(KEY_FILE, &content) {
        log::warn!("the key of this machine is gone with its next restart: {error}");
    }
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use lotse_protocol::certificate::{Entry, Holder, groups, issue};

    fn enrol(root: &KeyPair, subject: PublicKey) -> Enrolment {
        let entry = Entry {
            name: "Kiosk".try_into().unwrap(),
            holder: Holder::Device,
            groups: groups(["all"]).unwrap(),
            not_before: 0,
            not_after: u64::MAX,
        };
        let certificate = issue(root, subject, entry, &mut OsRng).unwrap();
        Enrolment { root: root.public(), certificate }
    }

    fn key_of(folder: &std::path::Path) -> PublicKey {
        let bytes = certificate::from_hex(&public_key(folder).unwrap()).unwrap();
        PublicKey(bytes.try_into().unwrap())
    }

    #[test]
    fn a_machine_keeps_its_key_and_a_copy_of_it_serves_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let first = key_of(folder.path());
        assert_eq!(key_of(folder.path()), first);
        // As if the disk had been copied into a machine of another name.
        let file = folder.path().join(KEY_FILE);
        let mut content = std::fs::read(&file).unwrap();
        content.push(b'x');
        std::fs::write(&file, content).unwrap();
        assert_ne!(key_of(folder.path()), first);
    }

    #[test]
    fn a_certificate_of_another_machine_is_noticed_at_the_start() {
        let folder = tempfile::tempdir().unwrap();
        let root = KeyPair::generate(&mut OsRng);
        let keep = || Keep::open(folder.path());
        let mine = enrol(&root, key_of(folder.path()));
        assert!(Identity::open(keep(), Some(&mine)).is_ok());
        let other = enrol(&root, root.public());
        assert!(Identity::open(keep(), Some(&other)).is_err());
    }

    #[test]
    fn one_signature_is_given_for_one_number() {
        let folder = tempfile::tempdir().unwrap();
        let root = KeyPair::generate(&mut OsRng);
        let mine = enrol(&root, key_of(folder.path()));
        let mut identity = Identity::open(Keep::open(folder.path()), Some(&mine)).unwrap();
        assert!(identity.sign(&[1; 32]).is_some());
        assert!(identity.sign(&[2; 32]).is_none());
        identity.begin();
        assert!(identity.sign(&[2; 32]).is_some());
    }
}
