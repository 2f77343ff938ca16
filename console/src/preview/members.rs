//! Sessions of more than two, to look at.

use std::time::{Duration, Instant};

use crate::model::{
    Code, Command, Event, Knock, Level, Member, Model, Need, Peer, Right, Rights, Role,
};

/// A list of four: this program as `me`, another technician with control, two panels.
fn list(me: u16) -> Vec<Member> {
    let steer = Rights::NONE.with(Right::View).with(Right::Control);
    let member = |id: u16, name: &str, level| Member {
        id,
        name: name.to_owned(),
        is_device: false,
        level,
        rights: Rights::NONE,
        controller: None,
        is_me: id == me,
        is_moderator: id == 1,
        is_deputy: id == 3,
        is_presenter: id == 2,
        is_away: id == 4,
    };
    let panel = |id, name, level| {
        let controller = (id == 2).then_some(3);
        let member = member(id, name, Some(level));
        Member { is_device: true, rights: steer, controller, is_deputy: false, ..member }
    };
    vec![
        member(1, "A. Technician", None),
        panel(2, "Ticket machine, platform 7", Level::CodeCompared),
        member(3, "B. Colleague", Some(Level::Certificate)),
        panel(4, "Ticket machine, main hall with a name that is long", Level::Password),
    ]
}

fn told(mut model: Model, events: impl IntoIterator<Item = Event>, now: Instant) -> Model {
    events.into_iter().for_each(|event| model.apply(event, now));
    model
}

/// The moderator's view of it.
pub(super) fn moderating(model: Model, now: Instant) -> Model {
    // Four seconds before the picture is taken.
    let mut model = told(model, [Event::Members(list(1))], now);
    model.note(&Command::Kick { member: 3 });
    model.apply(Event::Removed { member: 3 }, now + Duration::from_secs(1));
    model
}

/// Two want to come in, one to control.
pub(super) fn knocking(model: Model, now: Instant) -> Model {
    let knock = |member, who: &str, is_device, need| {
        Event::Knocking(Knock { member, who: who.to_owned(), is_device, need })
    };
    let code = Code::from_digits([8, 0, 2, 6, 6, 1]);
    let members = list(1).into_iter().take(3).map(|m| Member { controller: None, ..m });
    let events = [
        Event::Members(members.collect()),
        knock(5, "C. Newcomer", false, Need::Compare(code)),
        knock(6, "D. Certified", false, Need::Checked(Level::Certificate)),
        Event::AsksControl { member: 3 },
    ];
    told(model, events, now)
}

/// The view of one who looks on.
pub(super) fn looking_on(now: Instant) -> Model {
    let mut model = Model::default();
    if let (Ok(server), Ok(number)) = ("lotse.example.com".parse(), "412936085".parse()) {
        model.note(&Command::Watch { server, name: "B. Colleague".into(), number });
    }
    let name = "Ticket machine, platform 7".to_owned();
    let rights = Rights::NONE.with(Right::View);
    let peer = Peer { name, rights, level: Level::CodeCompared };
    let code = Code::from_digits([4, 7, 1, 9, 0, 3]);
    model = told(model, [Event::Code { code, who: "A. Technician".into() }], now);
    model.note(&Command::CodesMatch);
    let members = list(3).into_iter().map(|m| Member { controller: None, ..m });
    let events = [Event::Connected(peer), Event::Members(members.collect())];
    told(model, [Event::Role(Role::Onlooker)].into_iter().chain(events), now)
}
