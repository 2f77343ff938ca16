//! Whole sessions in one thread: a server, consoles and devices under a clock that only moves when
//! told, and chance that only comes from a seed.

mod promises;
mod restarts;
mod seeds;
mod server;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rand_core::{CryptoRng, RngCore};

use self::server::Server;
use super::{
    EndReason, Inheritance, Moderator, ModeratorConfig, ModeratorEvent, Onlooker, OnlookerEvent,
    Output, Participant, ParticipantEvent, ParticipantGone,
};
use crate::handshake::JoinKey;
use crate::header::{Class, MemberId};
use crate::link::Lane;
use crate::message::{Consent, InputEvent, Place, Restart, RestartReport, Rights, SecretBytes};
use crate::tunnel::{Answer, Asked, Notice};

/// Numbers from a seed (SplitMix64); as random as tests need.
#[derive(Debug, Clone)]
pub(super) struct Chance(u64);

impl Chance {
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.next_u64() % bound.max(1)
    }

    fn pick<T: Copy>(&mut self, items: &[T]) -> Option<T> {
        let index = self.below(items.len() as u64) as usize;
        items.get(index).copied()
    }
}

impl RngCore for Chance {
    fn next_u32(&mut self) -> u32 {
        self.next_u64() as u32
    }

    fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let random = self.next_u64().to_le_bytes();
            chunk.copy_from_slice(&random[..chunk.len()]);
        }
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), rand_core::Error> {
        self.fill_bytes(bytes);
        Ok(())
    }
}

impl CryptoRng for Chance {}

pub(super) const BOTH: Rights = Rights::VIEW.with(Rights::CONTROL);

/// What the server makes of a packet.
pub(super) type Meddle = Box<dyn FnMut(&[u8]) -> Option<Vec<u8>>>;

/// Which computer.
pub(super) type Node = usize;

enum Machine {
    Moderator(Box<Moderator>),
    Device(Box<Participant>),
    Onlooker(Box<Onlooker>),
    /// It crashed, or its session is over.
    Off,
}

/// What a computer has seen.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) inputs: Vec<(Instant, InputEvent)>,
    pub(super) pictures: Vec<Vec<u8>>,
    pub(super) ended: Option<EndReason>,
    pub(super) roster: Option<(u32, [u8; 32])>,
    /// After which picture all was asked for again, each time.
    pub(super) refreshes: Vec<u32>,
    /// As the device says: who controls it.
    pub(super) controller: Option<MemberId>,
    pub(super) has_control: bool,
    /// As the device says: the moderator cannot be heard.
    pub(super) is_away: bool,
    pub(super) removed: Vec<MemberId>,
    pub(super) gone: Vec<(MemberId, ParticipantGone)>,
    pub(super) rosters_differ: bool,
    pub(super) dropped: u32,
    pub(super) paused: Vec<bool>,
    /// As the device says: who points where.
    pub(super) arrows: Vec<(MemberId, Option<Place>)>,
    /// As consoles are told: whether arrows can be shown.
    pub(super) are_shown: Option<bool>,
    /// What a device was asked to restart.
    pub(super) asked: Vec<Restart>,
    pub(super) reports: Vec<RestartReport>,
    /// Who came back as whom.
    pub(super) returned: Vec<(MemberId, MemberId)>,
    pub(super) not_back: Vec<MemberId>,
    pub(super) is_burned: bool,
}

struct Computer {
    machine: Machine,
    seen: Seen,
    /// What it is to the server, as long as it has a place there.
    member: Option<MemberId>,
    is_up: bool,
    /// Whether notices reach it: the server may keep quiet towards a member.
    is_told: bool,
}

/// What is on its way down to a computer.
enum Down {
    Packet(Vec<u8>),
    Answer(Answer),
    Notice(Notice),
}

/// What is on its way up to the server.
enum Up {
    Packet(Vec<u8>),
    Asked(Asked),
}

enum Delivery {
    Up(Node, Up),
    Down(Node, Down),
}

/// Everything.
pub(super) struct World {
    pub(super) now: Instant,
    pub(super) start: Instant,
    pub(super) chance: Chance,
    server: Server,
    computers: Vec<Computer>,
    on_the_way: BTreeMap<(Instant, u64), Delivery>,
    sent: u64,
    /// Nothing on a lane overtakes what was there before.
    lanes: BTreeMap<(Node, bool, Lane), Instant>,
    /// How long a hop takes at most.
    latency: Duration,
    /// What is done to packets on the server.
    pub(super) meddle: Meddle,
    pub(super) config: ModeratorConfig,
}

impl World {
    /// A world with an open session, whose moderator is computer 0.
    pub(super) fn new(seed: u64, latency: Duration) -> Self {
        Self::asking(BOTH, seed, latency)
    }

    /// The same, where other rights are asked for and given.
    pub(super) fn asking(asks: Rights, seed: u64, latency: Duration) -> Self {
        let now = Instant::now();
        let name = "Technician".try_into().unwrap();
        let config = ModeratorConfig { devices: 2, ..ModeratorConfig::new(name, asks) };
        let mut world = Self {
            now,
            start: now,
            chance: Chance(seed),
            server: Server::default(),
            computers: Vec::new(),
            on_the_way: BTreeMap::new(),
            sent: 0,
            lanes: BTreeMap::new(),
            latency,
            meddle: Box::new(|packet| Some(packet.to_vec())),
            config: config.clone(),
        };
        let rng = world.rng();
        let mut moderator = Moderator::new(config, rng);
        moderator.open();
        world.add(Machine::Moderator(Box::new(moderator)));
        world.pass(Duration::from_secs(1));
        world
    }

    fn rng(&mut self) -> Box<Chance> {
        Box::new(Chance(self.chance.next_u64()))
    }

    fn add(&mut self, machine: Machine) -> Node {
        let computer =
            Computer { machine, seen: Seen::default(), member: None, is_up: true, is_told: true };
        self.computers.push(computer);
        let node = self.computers.len() - 1;
        self.drain(node);
        node
    }

    /// A device types the number.
    pub(super) fn device(&mut self) -> Node {
        let rng = self.rng();
        let mut device = Participant::new("Kiosk".try_into().unwrap(), rng);
        device.join(Server::number(), JoinKey::of_tests());
        self.add(Machine::Device(Box::new(device)))
    }

    /// A device comes back with a ticket.
    pub(super) fn comes_back(&mut self, ticket: &[u8; 32]) -> Node {
        let rng = self.rng();
        let mut device = Participant::new("Whoever".try_into().unwrap(), rng);
        device.come_back(Server::number(), JoinKey::of_tests(), &SecretBytes(*ticket));
        self.add(Machine::Device(Box::new(device)))
    }

    /// An onlooker types the number.
    pub(super) fn onlooker(&mut self) -> Node {
        let rng = self.rng();
        let mut onlooker = Onlooker::new("Colleague".try_into().unwrap(), rng);
        onlooker.join(Server::number(), JoinKey::of_tests());
        self.add(Machine::Onlooker(Box::new(onlooker)))
    }

    /// Lets time pass, and everything happen that is due.
    pub(super) fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        loop {
            let arrival = self.on_the_way.keys().next().map(|(at, _)| *at);
            let timeout = self.computers.iter().filter(|c| c.is_up).filter_map(Computer::due).min();
            let next = arrival.into_iter().chain(timeout).min();
            let Some(at) = next.filter(|at| *at <= end) else { break };
            self.now = self.now.max(at);
            if arrival.is_some_and(|arrival| arrival <= self.now)
                && let Some((_, delivery)) = self.on_the_way.pop_first()
            {
                match delivery {
                    Delivery::Up(node, up) => self.at_server(node, up),
                    Delivery::Down(node, down) => self.at_computer(node, down),
                }
                continue;
            }
            for node in 0..self.computers.len() {
                if self.computers[node].is_up {
                    self.computers[node].timeout(self.now);
                    self.drain(node);
                }
            }
        }
        self.now = end;
    }

    fn carry(&mut self, node: Node, is_up: bool, lane: Lane, delivery: Delivery) {
        let latency = self.chance.below(self.latency.as_micros() as u64 + 1);
        let at = self.now + Duration::from_micros(latency);
        let last = self.lanes.entry((node, is_up, lane)).or_insert(at);
        *last = (*last).max(at);
        self.sent += 1;
        self.on_the_way.insert((*last, self.sent), delivery);
    }

    fn at_server(&mut self, node: Node, up: Up) {
        let from = self.computers[node].member;
        match up {
            Up::Packet(packet) => {
                let Some(packet) = (self.meddle)(&packet) else { return };
                let (Some(from), Ok((header, _))) = (from, crate::Header::parse(&packet)) else {
                    return;
                };
                for to in self.server.receivers(from, header.destination) {
                    let to = self.node(to);
                    let delivery = Delivery::Down(to, Down::Packet(packet.clone()));
                    self.carry(to, false, Lane::of(header.class), delivery);
                }
            }
            Up::Asked(what) => {
                let (answer, notices) = self.server.ask(from, node, &what);
                if let Answer::Joined { member, .. } = answer {
                    self.computers[node].member = Some(member);
                } else if matches!(answer, Answer::Opened { .. }) {
                    self.computers[node].member = Some(MemberId::MODERATOR);
                } else if what == Asked::Leave {
                    self.computers[node].member = None;
                }
                self.carry(node, false, Lane::Urgent, Delivery::Down(node, Down::Answer(answer)));
                self.notify(notices);
            }
        }
    }

    fn notify(&mut self, notices: Vec<(Node, Notice)>) {
        for (node, notice) in notices {
            if matches!(notice, Notice::SessionEnded { .. }) && self.computers[node].is_told {
                self.computers[node].member = None;
            }
            self.carry(node, false, Lane::Urgent, Delivery::Down(node, Down::Notice(notice)));
        }
    }

    fn node(&self, member: MemberId) -> Node {
        self.server.node(member)
    }

    fn at_computer(&mut self, node: Node, down: Down) {
        let now = self.now;
        let computer = &mut self.computers[node];
        if !computer.is_up || matches!(down, Down::Notice(_)) && !computer.is_told {
            return;
        }
        match (&mut computer.machine, down) {
            (Machine::Moderator(machine), Down::Packet(packet)) => {
                machine.handle_packet(&packet, now);
            }
            (Machine::Moderator(machine), Down::Answer(answer)) => machine.handle_answer(answer),
            (Machine::Moderator(machine), Down::Notice(notice)) => {
                machine.handle_notice(notice, now);
            }
            (Machine::Device(machine), Down::Packet(packet)) => machine.handle_packet(&packet, now),
            (Machine::Device(machine), Down::Answer(answer)) => machine.handle_answer(answer),
            (Machine::Device(machine), Down::Notice(notice)) => machine.handle_notice(&notice, now),
            (Machine::Onlooker(machine), Down::Packet(packet)) => {
                machine.handle_packet(&packet, now);
            }
            (Machine::Onlooker(machine), Down::Answer(answer)) => machine.handle_answer(answer),
            (Machine::Onlooker(machine), Down::Notice(notice)) => {
                machine.handle_notice(&notice, now);
            }
            (Machine::Off, _) => {}
        }
        self.drain(node);
    }

    /// Brings everything that a computer has to say to where it belongs.
    pub(super) fn drain(&mut self, node: Node) {
        loop {
            let Some(output) = self.computers[node].next() else { return };
            match output {
                Out::Asked(what) => {
                    self.carry(node, true, Lane::Urgent, Delivery::Up(node, Up::Asked(what)));
                }
                Out::Packet(class, packet) => {
                    let delivery = Delivery::Up(node, Up::Packet(packet));
                    self.carry(node, true, Lane::of(class), delivery);
                }
                Out::Moderator(event) => self.moderator_event(node, event),
                Out::Device(event) => self.device_event(node, event),
                Out::Onlooker(event) => self.onlooker_event(node, event),
            }
        }
    }

    fn moderator_event(&mut self, node: Node, event: ModeratorEvent) {
        let Computer { machine: Machine::Moderator(machine), seen, .. } = &mut self.computers[node]
        else {
            return;
        };
        match event {
            ModeratorEvent::Compare { member, .. } => machine.confirm_code(member),
            ModeratorEvent::Presents { .. } => machine.watch(true),
            ModeratorEvent::Members(roster) => {
                seen.roster = Some((roster.number(), roster.hash()));
            }
            ModeratorEvent::Removed { member } => seen.removed.push(member),
            ModeratorEvent::Gone { member, why, .. } => seen.gone.push((member, why)),
            ModeratorEvent::Picture(picture) => seen.pictures.push(picture),
            ModeratorEvent::InputDropped(count) => seen.dropped += u32::from(count),
            ModeratorEvent::RostersDiffer { .. } => seen.rosters_differ = true,
            ModeratorEvent::Paused(paused) => seen.paused.push(paused),
            ModeratorEvent::Arrows { are_shown, .. } => seen.are_shown = Some(are_shown),
            ModeratorEvent::HandedOver(onlooker) => {
                self.computers[node].machine = Machine::Onlooker(onlooker);
            }
            ModeratorEvent::Restart { report, .. } => seen.reports.push(report),
            ModeratorEvent::Returned { was, member } => seen.returned.push((was, member)),
            ModeratorEvent::NotBack { member } => seen.not_back.push(member),
            ModeratorEvent::NumberBurned => seen.is_burned = true,
            ModeratorEvent::Ended(why) => seen.ended = Some(EndReason::Server(why)),
            _ => {}
        }
    }

    fn device_event(&mut self, node: Node, event: ParticipantEvent) {
        let (now, asks) = (self.now, self.config.asks);
        let Computer { machine: Machine::Device(machine), seen, .. } = &mut self.computers[node]
        else {
            return;
        };
        match event {
            ParticipantEvent::Ask { .. } => machine.decide(Consent::Granted(asks), now),
            ParticipantEvent::Restart(what) => seen.asked.push(what),
            ParticipantEvent::Input(input) => seen.inputs.push((now, input)),
            ParticipantEvent::Arrow { by, at, .. } => seen.arrows.push((by, at)),
            ParticipantEvent::Refresh { after } => seen.refreshes.push(after),
            ParticipantEvent::Away(is_away) => seen.is_away = is_away,
            ParticipantEvent::Controller(controller) => seen.controller = controller,
            ParticipantEvent::Members(roster) => {
                seen.roster = Some((roster.number(), roster.hash()));
            }
            ParticipantEvent::Ended(why) => seen.ended = Some(why),
            _ => {}
        }
    }

    fn onlooker_event(&mut self, node: Node, event: OnlookerEvent) {
        let now = self.now;
        let Computer { machine: Machine::Onlooker(machine), seen, .. } = &mut self.computers[node]
        else {
            return;
        };
        match event {
            OnlookerEvent::Compare { .. } => machine.confirm_code(now),
            OnlookerEvent::Picture(picture) => seen.pictures.push(picture),
            OnlookerEvent::Control(has) => seen.has_control = has,
            OnlookerEvent::Members(roster) => {
                seen.roster = Some((roster.number(), roster.hash()));
            }
            OnlookerEvent::RostersDiffer => seen.rosters_differ = true,
            OnlookerEvent::InputDropped(count) => seen.dropped += u32::from(count),
            OnlookerEvent::Paused(paused) => seen.paused.push(paused),
            OnlookerEvent::Arrows { are_shown, .. } => seen.are_shown = Some(are_shown),
            OnlookerEvent::TakeOver(inheritance) => self.take_over(node, *inheritance),
            OnlookerEvent::Ended(why) => seen.ended = Some(why),
            _ => {}
        }
    }

    fn take_over(&mut self, node: Node, inheritance: Inheritance) {
        let (config, rng) = (self.config.clone(), self.rng());
        let mut moderator = Moderator::inherit(config, inheritance, rng, self.now);
        moderator.watch(true);
        self.computers[node].machine = Machine::Moderator(Box::new(moderator));
    }

    /// Does something with the moderator, whoever that is at the moment.
    pub(super) fn moderate<T>(&mut self, act: impl FnOnce(&mut Moderator) -> T) -> Option<T> {
        let node = self.moderator()?;
        let Machine::Moderator(machine) = &mut self.computers[node].machine else { return None };
        let done = act(machine);
        self.drain(node);
        Some(done)
    }

    /// Which computer moderates, if one does that is up.
    pub(super) fn moderator(&self) -> Option<Node> {
        self.computers.iter().position(|computer| {
            computer.is_up
                && computer.seen.ended.is_none()
                && matches!(computer.machine, Machine::Moderator(_))
        })
    }

    /// Does something with a device.
    pub(super) fn at_device<T>(
        &mut self,
        node: Node,
        act: impl FnOnce(&mut Participant, Instant) -> T,
    ) -> Option<T> {
        let now = self.now;
        let Machine::Device(machine) = &mut self.computers[node].machine else { return None };
        let done = act(machine, now);
        self.drain(node);
        Some(done)
    }

    /// Does something with an onlooker.
    pub(super) fn at_onlooker<T>(
        &mut self,
        node: Node,
        act: impl FnOnce(&mut Onlooker, Instant) -> T,
    ) -> Option<T> {
        let now = self.now;
        let Machine::Onlooker(machine) = &mut self.computers[node].machine else { return None };
        let done = act(machine, now);
        self.drain(node);
        Some(done)
    }

    /// Sends an input from a computer, whatever it is; whether it was taken.
    pub(super) fn input(&mut self, node: Node, event: InputEvent) -> bool {
        let now = self.now;
        let taken = match &mut self.computers[node].machine {
            Machine::Moderator(machine) => machine.input(event, now),
            Machine::Onlooker(machine) => machine.input(event, now),
            Machine::Device(_) | Machine::Off => false,
        };
        self.drain(node);
        taken
    }

    pub(super) fn seen(&self, node: Node) -> &Seen {
        &self.computers[node].seen
    }

    pub(super) fn member(&self, node: Node) -> Option<MemberId> {
        self.computers[node].member
    }

    /// The server says nothing more to a computer, but goes on giving it packets.
    pub(super) fn keep_quiet_towards(&mut self, node: Node) {
        self.computers[node].is_told = false;
        if let Some(member) = self.computers[node].member {
            self.server.collude(member);
        }
    }

    /// A computer's link breaks; what is on its way to it is lost.
    pub(super) fn break_link(&mut self, node: Node) {
        let now = self.now;
        let computer = &mut self.computers[node];
        let Some(member) = computer.member.filter(|_| computer.is_up) else { return };
        computer.is_up = false;
        match &mut computer.machine {
            Machine::Moderator(machine) => machine.pause(now),
            Machine::Device(machine) => machine.pause(now),
            Machine::Onlooker(machine) => machine.pause(now),
            Machine::Off => {}
        }
        self.drain(node);
        self.on_the_way.retain(|_, delivery| match delivery {
            Delivery::Up(of, _) | Delivery::Down(of, _) => *of != node,
        });
        let notices = self.server.away(member);
        self.notify(notices);
    }

    /// The link is back, if the place is.
    pub(super) fn mend_link(&mut self, node: Node) {
        let now = self.now;
        let computer = &mut self.computers[node];
        let Some(member) = computer.member.filter(|_| !computer.is_up) else { return };
        computer.is_up = true;
        let Some(notices) = self.server.back(member) else {
            computer.machine = Machine::Off;
            computer.member = None;
            return;
        };
        match &mut computer.machine {
            Machine::Moderator(machine) => machine.resume(now),
            Machine::Device(machine) => machine.resume(now),
            Machine::Onlooker(machine) => machine.resume(now),
            Machine::Off => {}
        }
        // As the server promises: nothing of this member overtakes the news of its return.
        self.notify(notices);
        self.drain(node);
    }

    /// The server gives up the place of a computer that does not come back.
    pub(super) fn give_up(&mut self, node: Node) {
        let Some(member) = self.computers[node].member.take() else { return };
        self.computers[node].machine = Machine::Off;
        self.computers[node].is_up = false;
        let notices = self.server.lost(member);
        self.notify(notices);
    }

    /// Those who are inside and up.
    pub(super) fn present(&self, is: fn(&Self, Node) -> bool) -> Vec<Node> {
        let nodes = 0..self.computers.len();
        nodes
            .filter(|node| {
                let computer = &self.computers[*node];
                computer.is_up && computer.member.is_some() && computer.seen.ended.is_none()
            })
            .filter(|node| is(self, *node))
            .collect()
    }

    pub(super) fn is_device(&self, node: Node) -> bool {
        matches!(self.computers[node].machine, Machine::Device(_))
    }

    pub(super) fn is_onlooker(&self, node: Node) -> bool {
        matches!(self.computers[node].machine, Machine::Onlooker(_))
    }
}

enum Out {
    Asked(Asked),
    Packet(Class, Vec<u8>),
    Moderator(ModeratorEvent),
    Device(ParticipantEvent),
    Onlooker(OnlookerEvent),
}

fn out<E>(output: Output<E>, event: impl FnOnce(E) -> Out) -> Out {
    match output {
        Output::Request(what) => Out::Asked(what),
        Output::Packet(class, packet) => Out::Packet(class, packet),
        Output::Event(happened) => event(happened),
    }
}

impl Computer {
    fn next(&mut self) -> Option<Out> {
        match &mut self.machine {
            Machine::Moderator(machine) => {
                machine.poll_output().map(|output| out(output, Out::Moderator))
            }
            Machine::Device(machine) => {
                machine.poll_output().map(|output| out(output, Out::Device))
            }
            Machine::Onlooker(machine) => {
                machine.poll_output().map(|output| out(output, Out::Onlooker))
            }
            Machine::Off => None,
        }
    }

    fn due(&self) -> Option<Instant> {
        match &self.machine {
            Machine::Moderator(machine) => machine.poll_timeout(),
            Machine::Device(machine) => machine.poll_timeout(),
            Machine::Onlooker(machine) => machine.poll_timeout(),
            Machine::Off => None,
        }
    }

    fn timeout(&mut self, now: Instant) {
        match &mut self.machine {
            Machine::Moderator(machine) => machine.handle_timeout(now),
            Machine::Device(machine) => machine.handle_timeout(now),
            Machine::Onlooker(machine) => machine.handle_timeout(now),
            Machine::Off => {}
        }
    }
}

/// Picture contents that tell when they were made.
pub(super) fn stamped(number: u64) -> Vec<u8> {
    [&b"picture "[..], &number.to_be_bytes()].concat()
}
