//! Who is who, by certificates: what each side shows, and how the other side checks it.

use heapless::Vec;
use rand_core::CryptoRngCore;
use serde::{Deserialize, Serialize};

use super::{
    Certificate, Holder, KeyPair, MAX_FRESH_S, MAX_TECHNICIAN_S, PublicKey, Signature,
    SignedCertificate, SignedState, State,
};
use crate::message::{Name, Rights, Role};

/// So far ahead a certificate may begin to count: clocks differ.
pub const CLOCK_SKEW_S: u64 = 300;

const DEVICE_LABEL: &[u8] = b"lotse/1 this machine joins\0";
const FELLOW_LABEL: &[u8] = b"lotse/1 this technician joins\0";
const TECHNICIAN_LABEL: &[u8] = b"lotse/1 this technician is there\0";

/// What a device, or a technician who looks on, shows: it is enrolled, and takes part in this very
/// handshake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertifiedDevice {
    /// The certificate.
    pub certificate: SignedCertificate,
    /// Drawn for this handshake; the technician who moderates signs it too. It makes sure for
    /// whoever keeps the key that the answer is new.
    pub nonce: [u8; 32],
    /// By the certificate's key, over nonce and transcript.
    pub signature: Signature,
}

/// What a technician shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertifiedTechnician {
    /// The technician's certificate.
    pub certificate: SignedCertificate,
    /// What the operator has taken back, as fresh as the technician has it.
    pub state: SignedState,
    /// By the technician's key, over the device's nonce and the transcript.
    pub signature: Signature,
}

/// Why somebody is not who he should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotCertified {
    /// Not signed by the operator, not in the valid form, or for somebody of the other kind.
    #[error("the certificate is not one of this operator, or is for another kind of holder")]
    Malformed,
    /// Valid for longer than certificates may be, or for no time at all.
    #[error("the certificate counts for longer than it may, or never")]
    Lifetime,
    /// It does not count yet.
    #[error("the certificate does not count yet; is the clock right?")]
    NotYet,
    /// It does not count any more.
    #[error("the certificate has expired")]
    Expired,
    /// It was taken back.
    #[error("the certificate was taken back")]
    Revoked,
    /// The operator's state is older than one that was seen before.
    #[error("what the operator has taken back is known more recently than shown")]
    StateRolledBack,
    /// The operator's state is too old to go by.
    #[error("what the operator has taken back is not known recently enough")]
    StateStale,
    /// The machine and the technician have no group in common.
    #[error("the technician is not there for this group of machines")]
    OtherGroup,
    /// The holder of the certificate's key has not signed this handshake.
    #[error("the holder of the certificate did not sign this connection")]
    Signature,
}

/// A device's own identity, as far as it is needed to join.
#[derive(Debug)]
pub struct OwnDevice {
    /// Its key.
    pub key: KeyPair,
    /// Its certificate.
    pub certificate: SignedCertificate,
    /// Its operator's root.
    pub root: PublicKey,
}

/// A technician's identity: what a console needs for sessions by certificate.
#[derive(Debug, Clone)]
pub struct Pass {
    /// The technician's key.
    pub key: KeyPair,
    /// His certificate.
    pub certificate: SignedCertificate,
    /// What the operator has taken back.
    pub state: SignedState,
    /// The operator's root.
    pub root: PublicKey,
}

impl Pass {
    /// The certificate, if it counts at this time and is the key's.
    ///
    /// # Errors
    /// [`NotCertified`]
    pub fn check(&self, now: u64) -> Result<Certificate, NotCertified> {
        let certificate = opened(&self.certificate, self.root)?;
        if !matches!(certificate.holder, Holder::Technician { .. })
            || certificate.subject != self.key.public()
        {
            return Err(NotCertified::Malformed);
        }
        check_time(&certificate, now)?;
        let state = checked_state(&self.state, self.root, now)?;
        check_not_revoked(&certificate, &state)?;
        Ok(certificate)
    }
}

/// What a device must remember over restarts and power cuts, for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Memory {
    /// The newest state that was seen.
    pub generation: u64,
    /// The latest time that the operator has signed, in seconds since 1970, UTC: it is not
    /// earlier than that, whatever a clock without a battery says.
    pub time: u64,
}

/// What a device's check has found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// What the operator calls the technician.
    pub name: Name,
    /// What he may ask of this device.
    pub rights: Rights,
    /// When his certificate expires, in seconds since 1970, UTC: so must the session.
    pub not_after: u64,
    /// What to remember from now on.
    pub memory: Memory,
}

/// A device's proof, over a fresh nonce and the transcript until now.
pub fn identify_device(
    own: &OwnDevice,
    transcript: &[u8; 32],
    rng: &mut impl CryptoRngCore,
) -> CertifiedDevice {
    let mut nonce = [0; 32];
    rng.fill_bytes(&mut nonce);
    let signature = own.key.sign(&[DEVICE_LABEL, &nonce, transcript]);
    CertifiedDevice { certificate: own.certificate.clone(), nonce, signature }
}

/// The proof of a technician who looks on, over a fresh nonce and the transcript until now.
pub fn identify_fellow(
    pass: &Pass,
    transcript: &[u8; 32],
    rng: &mut impl CryptoRngCore,
) -> CertifiedDevice {
    let mut nonce = [0; 32];
    rng.fill_bytes(&mut nonce);
    let signature = pass.key.sign(&[FELLOW_LABEL, &nonce, transcript]);
    CertifiedDevice { certificate: pass.certificate.clone(), nonce, signature }
}

/// Checks the proof of a device, or of a technician who looks on: it is of the operator of `pass`,
/// is what it wants to be, and takes part in this handshake.
///
/// # Errors
/// [`NotCertified`]
pub fn check_device(
    shown: &CertifiedDevice,
    (role, transcript): (Role, &[u8; 32]),
    pass: &Pass,
    now: u64,
) -> Result<Name, NotCertified> {
    let certificate = opened(&shown.certificate, pass.root)?;
    let label = match (role, certificate.holder) {
        (Role::Device, Holder::Device) => DEVICE_LABEL,
        (Role::Onlooker, Holder::Technician { .. }) => FELLOW_LABEL,
        _ => return Err(NotCertified::Malformed),
    };
    check_time(&certificate, now)?;
    let state = checked_state(&pass.state, pass.root, now)?;
    check_not_revoked(&certificate, &state)?;
    let signed = [label, &shown.nonce, transcript];
    if !certificate.subject.verify(&signed, &shown.signature) {
        return Err(NotCertified::Signature);
    }
    Ok(certificate.name)
}

/// A technician's proof, over the device's nonce and the transcript with the device's proof.
pub fn identify_technician(
    pass: &Pass,
    nonce: &[u8; 32],
    transcript: &[u8; 32],
) -> CertifiedTechnician {
    CertifiedTechnician {
        certificate: pass.certificate.clone(),
        state: pass.state.clone(),
        signature: pass.key.sign(&[TECHNICIAN_LABEL, nonce, transcript]),
    }
}

/// Checks a technician's proof at a device. `nonce` must be the one that was drawn for this
/// handshake, `clock` is the device's, in seconds since 1970, UTC.
///
/// # Errors
/// [`NotCertified`]; nothing is to be remembered then.
pub fn check_technician(
    shown: &CertifiedTechnician,
    (nonce, transcript): (&[u8; 32], &[u8; 32]),
    own: &OwnDevice,
    memory: Memory,
    clock: u64,
) -> Result<Known, NotCertified> {
    let state = shown.state.state(own.root).ok_or(NotCertified::Malformed)?;
    // It is not earlier than what the operator has signed, whatever the clock says.
    let now = clock.max(memory.time).max(state.issued_at);
    check_fresh(&state, now)?;
    let certificate = opened(&shown.certificate, own.root)?;
    if !matches!(certificate.holder, Holder::Technician { .. }) {
        return Err(NotCertified::Malformed);
    }
    check_time(&certificate, now)?;
    if state.generation < memory.generation {
        return Err(NotCertified::StateRolledBack);
    }
    check_not_revoked(&certificate, &state)?;
    let ours = opened(&own.certificate, own.root)?;
    check_not_revoked(&ours, &state)?;
    if !certificate.groups.iter().any(|group| ours.groups.contains(group)) {
        return Err(NotCertified::OtherGroup);
    }
    let signed = [TECHNICIAN_LABEL, nonce, transcript];
    if !certificate.subject.verify(&signed, &shown.signature) {
        return Err(NotCertified::Signature);
    }
    let memory = Memory { generation: state.generation, time: memory.time.max(state.issued_at) };
    let rights = certificate.rights();
    Ok(Known { name: certificate.name, rights, not_after: certificate.not_after, memory })
}

/// Checks what the technician who moderates shows, for one who looks on and has a pass of the same
/// operator.
///
/// # Errors
/// [`NotCertified`]
pub fn check_fellow(
    shown: &CertifiedTechnician,
    (nonce, transcript): (&[u8; 32], &[u8; 32]),
    pass: &Pass,
    now: u64,
) -> Result<Name, NotCertified> {
    let certificate = opened(&shown.certificate, pass.root)?;
    if !matches!(certificate.holder, Holder::Technician { .. }) {
        return Err(NotCertified::Malformed);
    }
    check_time(&certificate, now)?;
    for state in [&shown.state, &pass.state] {
        check_not_revoked(&certificate, &checked_state(state, pass.root, now)?)?;
    }
    let signed = [TECHNICIAN_LABEL, nonce, transcript];
    if !certificate.subject.verify(&signed, &shown.signature) {
        return Err(NotCertified::Signature);
    }
    Ok(certificate.name)
}

fn opened(signed: &SignedCertificate, root: PublicKey) -> Result<Certificate, NotCertified> {
    let certificate = signed.certificate(root).ok_or(NotCertified::Malformed)?;
    check_lifetime(&certificate)?;
    Ok(certificate)
}

pub(super) fn check_lifetime(certificate: &Certificate) -> Result<(), NotCertified> {
    let Some(lifetime) = certificate.not_after.checked_sub(certificate.not_before) else {
        return Err(NotCertified::Lifetime);
    };
    let most = match certificate.holder {
        Holder::Device => u64::MAX,
        Holder::Technician { .. } => MAX_TECHNICIAN_S,
    };
    if lifetime == 0 || lifetime > most { Err(NotCertified::Lifetime) } else { Ok(()) }
}

pub(super) fn check_freshness_span(state: &State) -> Result<(), NotCertified> {
    match state.fresh_until.checked_sub(state.issued_at) {
        Some(span) if (1..=MAX_FRESH_S).contains(&span) => Ok(()),
        _ => Err(NotCertified::Lifetime),
    }
}

fn check_time(certificate: &Certificate, now: u64) -> Result<(), NotCertified> {
    if certificate.not_before > now.saturating_add(CLOCK_SKEW_S) {
        Err(NotCertified::NotYet)
    } else if certificate.not_after <= now {
        Err(NotCertified::Expired)
    } else {
        Ok(())
    }
}

fn checked_state(signed: &SignedState, root: PublicKey, now: u64) -> Result<State, NotCertified> {
    let state = signed.state(root).ok_or(NotCertified::Malformed)?;
    check_fresh(&state, now)?;
    Ok(state)
}

fn check_fresh(state: &State, now: u64) -> Result<(), NotCertified> {
    check_freshness_span(state)?;
    // From the future: this clock is wrong, or the operator's.
    if state.fresh_until <= now || state.issued_at > now.saturating_add(CLOCK_SKEW_S) {
        return Err(NotCertified::StateStale);
    }
    Ok(())
}

fn check_not_revoked(certificate: &Certificate, state: &State) -> Result<(), NotCertified> {
    let is_technician = matches!(certificate.holder, Holder::Technician { .. });
    let is_revoked = state.revoked.contains(&certificate.serial);
    if is_revoked || is_technician && certificate.not_before < state.oldest {
        Err(NotCertified::Revoked)
    } else {
        Ok(())
    }
}

/// A list of groups, from texts.
///
/// # Errors
/// [`super::InvalidText`] when there are too many, or one is empty or too long.
pub fn groups<'a>(
    names: impl IntoIterator<Item = &'a str>,
) -> Result<Vec<super::Group, { super::MAX_GROUPS }>, super::InvalidText> {
    let mut groups = Vec::new();
    for name in names {
        let group = super::Group::try_from(name).map_err(|_| super::InvalidText)?;
        if group.is_empty() {
            return Err(super::InvalidText);
        }
        groups.push(group).map_err(|_| super::InvalidText)?;
    }
    Ok(groups)
}
