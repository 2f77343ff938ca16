//! Certificates that count, and all the ways in which they do not.

use proptest::collection::vec;
use proptest::prelude::*;
use rand_core::OsRng;

use super::*;
use crate::message::Role;

const NOW: u64 = 1_800_000_000;
const HOUR: u64 = 3600;
const TRANSCRIPT: [u8; 32] = [7; 32];

struct World {
    root: KeyPair,
    pass: Pass,
    device: OwnDevice,
}

fn entry(name: &str, holder: Holder, group: &str, not_before: u64, not_after: u64) -> Entry {
    let groups = groups([group]).unwrap();
    Entry { name: name.try_into().unwrap(), holder, groups, not_before, not_after }
}

const TECHNICIAN: Holder = Holder::Technician { rights: 3 };

fn state(root: &KeyPair, generation: u64, issued_at: u64, revoked: &[u64]) -> SignedState {
    let revoked = Vec::from_slice(revoked).unwrap();
    issue_state(root, generation, (issued_at, issued_at + 24 * HOUR), 0, revoked).unwrap()
}

impl World {
    fn new() -> Self {
        let root = KeyPair::generate(&mut OsRng);
        let key = KeyPair::generate(&mut OsRng);
        let ada = entry("Ada", TECHNICIAN, "line-3", NOW - HOUR, NOW + 9 * HOUR);
        let certificate = issue(&root, key.public(), ada, &mut OsRng).unwrap();
        let state = state(&root, 5, NOW - HOUR, &[]);
        let pass = Pass { key, certificate, state, root: root.public() };
        let key = KeyPair::generate(&mut OsRng);
        let kiosk = entry("Kiosk 7", Holder::Device, "line-3", NOW - 999 * HOUR, u64::MAX);
        let certificate = issue(&root, key.public(), kiosk, &mut OsRng).unwrap();
        let device = OwnDevice { key, certificate, root: root.public() };
        Self { root, pass, device }
    }

    /// Both show and check; the device's answer.
    fn meet(&self, memory: Memory, clock: u64) -> Result<Known, NotCertified> {
        let shown = identify_device(&self.device, &TRANSCRIPT, &mut OsRng);
        let answer = identify_technician(&self.pass, &shown.nonce, &TRANSCRIPT);
        check_technician(&answer, (&shown.nonce, &TRANSCRIPT), &self.device, memory, clock)
    }

    fn technician(&mut self, entry: Entry) {
        let key = self.pass.key.public();
        self.pass.certificate = issue(&self.root, key, entry, &mut OsRng).unwrap();
    }
}

#[test]
fn an_operators_technician_and_machine_know_each_other() {
    let world = World::new();
    let shown = identify_device(&world.device, &TRANSCRIPT, &mut OsRng);
    assert_eq!(
        check_device(&shown, (Role::Device, &TRANSCRIPT), &world.pass, NOW).unwrap(),
        "Kiosk 7"
    );
    let known = world.meet(Memory::default(), NOW).unwrap();
    assert_eq!((known.name.as_str(), known.rights), ("Ada", Rights::from(3)));
    assert_eq!(known.memory, Memory { generation: 5, time: NOW - HOUR });
    assert!(world.pass.check(NOW).is_ok());
}

#[test]
fn certificates_that_do_not_count_are_refused() {
    use NotCertified as No;
    let times = [(NOW - 9 * HOUR, NOW, No::Expired), (NOW + HOUR, NOW + 2 * HOUR, No::NotYet)];
    for (from, to, why) in times {
        let mut world = World::new();
        world.technician(entry("Ada", TECHNICIAN, "line-3", from, to));
        assert_eq!(world.meet(Memory::default(), NOW), Err(why));
        assert_eq!(world.pass.check(NOW).unwrap_err(), why);
    }
    let mut world = World::new();
    world.technician(entry("Ada", TECHNICIAN, "line-4", NOW - 1, NOW + HOUR));
    assert_eq!(world.meet(Memory::default(), NOW), Err(No::OtherGroup));

    // Another operator's, a machine's, and one that the technician signed himself.
    let mut world = World::new();
    world.pass = World::new().pass;
    assert_eq!(world.meet(Memory::default(), NOW), Err(No::Malformed));
    let mut world = World::new();
    world.technician(entry("Ada", Holder::Device, "line-3", NOW - 1, NOW + HOUR));
    assert_eq!(world.meet(Memory::default(), NOW), Err(No::Malformed));
    let mut world = World::new();
    let own = entry("Ada", TECHNICIAN, "line-3", NOW - 1, NOW + HOUR);
    let (key, public) = (world.pass.key.clone(), world.pass.key.public());
    world.pass.certificate = issue(&key, public, own, &mut OsRng).unwrap();
    assert_eq!(world.meet(Memory::default(), NOW), Err(No::Malformed));
}

#[test]
fn nobody_issues_what_counts_too_long() {
    let root = KeyPair::generate(&mut OsRng);
    for (from, to) in [(NOW, NOW), (NOW, NOW - 1), (NOW, NOW + MAX_TECHNICIAN_S + 1)] {
        let entry = entry("Ada", TECHNICIAN, "all", from, to);
        let issued = issue(&root, root.public(), entry, &mut OsRng);
        assert_eq!(issued.unwrap_err(), NotCertified::Lifetime);
    }
    for (from, to) in [(NOW, NOW), (NOW, NOW + MAX_FRESH_S + 1)] {
        assert!(issue_state(&root, 1, (from, to), 0, Vec::new()).is_err());
    }
}

#[test]
fn what_was_taken_back_is_refused_even_by_a_machine_that_was_off_the_network() {
    let mut world = World::new();
    let serial = world.pass.certificate.unchecked().unwrap().serial;
    world.pass.state = state(&world.root, 6, NOW, &[1, serial]);
    assert_eq!(world.meet(Memory::default(), NOW), Err(NotCertified::Revoked));

    // He shows the state of before: it is too old a day later, on any machine …
    world.pass.state = state(&world.root, 5, NOW - 25 * HOUR, &[]);
    assert_eq!(world.meet(Memory::default(), NOW), Err(NotCertified::StateStale));
    // … and at once on one that has seen the newer one.
    world.pass.state = state(&world.root, 5, NOW - HOUR, &[]);
    let memory = Memory { generation: 6, time: NOW - HOUR };
    assert_eq!(world.meet(memory, NOW), Err(NotCertified::StateRolledBack));

    // All that were issued before a time, at once; machines stay enrolled.
    let mut world = World::new();
    let fresh = (NOW, NOW + HOUR);
    world.pass.state = issue_state(&world.root, 9, fresh, NOW - 60, Vec::new()).unwrap();
    assert_eq!(world.meet(Memory::default(), NOW), Err(NotCertified::Revoked));
    world.technician(entry("Ada", TECHNICIAN, "line-3", NOW - 30, NOW + HOUR));
    assert!(world.meet(Memory::default(), NOW).is_ok());
}

#[test]
fn a_machine_that_was_taken_back_is_refused_by_the_technician_and_helps_nobody() {
    let mut world = World::new();
    let serial = world.device.certificate.unchecked().unwrap().serial;
    world.pass.state = state(&world.root, 6, NOW, &[serial]);
    let shown = identify_device(&world.device, &TRANSCRIPT, &mut OsRng);
    let checked = check_device(&shown, (Role::Device, &TRANSCRIPT), &world.pass, NOW);
    assert_eq!(checked, Err(NotCertified::Revoked));
    assert_eq!(world.meet(Memory::default(), NOW), Err(NotCertified::Revoked));
}

#[test]
fn a_clock_that_stands_in_the_past_does_not_bring_expired_certificates_back() {
    let world = World::new();
    // It has learned the time from the operator's signatures.
    let memory = Memory { generation: 5, time: NOW + 10 * HOUR };
    assert_eq!(world.meet(memory, 0), Err(NotCertified::Expired));
    let known = world.meet(Memory::default(), 0).unwrap();
    assert_eq!(known.memory.time, NOW - HOUR, "and learns it again");
}

#[test]
fn a_proof_holds_for_one_handshake_and_one_question() {
    let world = World::new();
    let shown = identify_device(&world.device, &TRANSCRIPT, &mut OsRng);
    let checked = check_device(&shown, (Role::Device, &[8; 32]), &world.pass, NOW);
    assert_eq!(checked, Err(NotCertified::Signature));
    let answer = identify_technician(&world.pass, &shown.nonce, &TRANSCRIPT);
    for (nonce, transcript) in [(&[0; 32], &TRANSCRIPT), (&shown.nonce, &[8; 32])] {
        let memory = Memory::default();
        let checked = check_technician(&answer, (nonce, transcript), &world.device, memory, NOW);
        assert_eq!(checked, Err(NotCertified::Signature));
    }
    // A device's proof is none of a technician, under whatever key.
    let reflected = CertifiedTechnician { signature: shown.signature, ..answer };
    let memory = Memory::default();
    let seen = (&shown.nonce, &TRANSCRIPT);
    let checked = check_technician(&reflected, seen, &world.device, memory, NOW);
    assert_eq!(checked, Err(NotCertified::Signature));
}

#[test]
fn a_technician_passes_for_no_device_and_a_device_for_no_technician() {
    let world = World::new();
    let device = identify_device(&world.device, &TRANSCRIPT, &mut OsRng);
    let fellow = identify_fellow(&world.pass, &TRANSCRIPT, &mut OsRng);
    let check = |shown: &CertifiedDevice, role| {
        check_device(shown, (role, &TRANSCRIPT), &world.pass, NOW).map(|name| name.to_string())
    };
    assert_eq!(check(&device, Role::Device).as_deref(), Ok("Kiosk 7"));
    assert_eq!(check(&fellow, Role::Onlooker).as_deref(), Ok("Ada"));
    assert_eq!(check(&device, Role::Onlooker), Err(NotCertified::Malformed));
    assert_eq!(check(&fellow, Role::Device), Err(NotCertified::Malformed));
    // The signature of one kind is none of the other, under whatever key.
    let signature =
        world.pass.key.sign(&[b"lotse/1 this machine joins\0", &fellow.nonce, &TRANSCRIPT]);
    let pretended = CertifiedDevice { signature, ..fellow };
    assert_eq!(check(&pretended, Role::Onlooker), Err(NotCertified::Signature));
}

#[test]
fn a_technician_checks_the_one_who_moderates() {
    let mut world = World::new();
    let nonce = [9; 32];
    let answer = identify_technician(&world.pass, &nonce, &TRANSCRIPT);
    let check = |pass: &Pass, nonce, now| check_fellow(&answer, (nonce, &TRANSCRIPT), pass, now);
    assert_eq!(check(&world.pass, &nonce, NOW).unwrap(), "Ada");
    assert_eq!(check(&world.pass, &[8; 32], NOW), Err(NotCertified::Signature));
    assert_eq!(check(&World::new().pass, &nonce, NOW), Err(NotCertified::Malformed));
    assert_eq!(check(&world.pass, &nonce, u64::MAX), Err(NotCertified::Expired));
    // Taken back, which the one who looks on has heard and the other keeps to himself.
    let serial = world.pass.certificate.unchecked().unwrap().serial;
    world.pass.state = state(&world.root, 6, NOW, &[serial]);
    assert_eq!(check(&world.pass, &nonce, NOW), Err(NotCertified::Revoked));
}

#[test]
fn a_changed_bit_of_a_certificate_or_state_is_noticed() {
    let world = World::new();
    let root = world.root.public();
    let bytes = world.pass.certificate.encode();
    for bit in 0..bytes.len() * 8 {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let opened = SignedCertificate::decode(&changed).ok().and_then(|c| c.certificate(root));
        assert_eq!(opened, None, "bit {bit}");
    }
    let other = World::new().root.public();
    assert_eq!(world.pass.state.state(other), None);
}

#[test]
fn the_largest_certificate_and_state_fit() {
    let root = KeyPair::generate(&mut OsRng);
    let names: std::vec::Vec<String> = (0..8).map(|i| format!("{i}").repeat(24)).collect();
    let entry = Entry {
        name: "x".repeat(64).as_str().try_into().unwrap(),
        holder: Holder::Technician { rights: u16::MAX },
        groups: groups(names.iter().map(String::as_str)).unwrap(),
        not_before: u64::MAX - 1,
        not_after: u64::MAX,
    };
    assert!(issue(&root, root.public(), entry, &mut OsRng).is_ok());
    let revoked = Vec::from_slice(&[u64::MAX; MAX_REVOKED]).unwrap();
    let times = (u64::MAX - 1, u64::MAX);
    assert!(issue_state(&root, u64::MAX, times, u64::MAX, revoked).is_ok());
}

proptest! {
    #[test]
    fn garbage_is_no_certificate(bytes in vec(any::<u8>(), 0..500)) {
        if let Ok(signed) = SignedCertificate::decode(&bytes) {
            prop_assert_eq!(signed.encode(), bytes.clone());
            prop_assert_eq!(signed.certificate(PublicKey([3; 32])), None);
        }
        prop_assert_eq!(from_hex(&to_hex(&bytes)).unwrap(), bytes);
    }
}
