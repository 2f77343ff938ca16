//! What only the moderator may ask for, and who that is.

use std::sync::Arc;

use lotse_protocol::frame::Frame;
use lotse_protocol::tunnel::{Answer, Asked, Notice, Refusal};
use tracing::info;

use super::{Relay, Seat, Session, lock, tell_moderator};
use crate::outlet::Outlet;
use crate::resume::{Place, Role};
use crate::roster::Roster;

impl Relay {
    /// What only the moderator may ask for about the session and its members.
    pub(super) fn arrange(&self, seat: &Seat, what: &Asked) -> Answer {
        let mut roster = lock(&seat.session.roster);
        if seat.member != roster.moderator() {
            return Answer::Refused(Refusal::NotAllowed);
        }
        let is_done = match *what {
            Asked::Seat { member, standing } => {
                member != roster.moderator() && roster.seat(member, standing)
            }
            Asked::Lock(is_locked) => {
                roster.lock(is_locked);
                true
            }
            Asked::Deputy(deputy) => {
                deputy != Some(roster.moderator()) && roster.set_deputy(deputy)
            }
            Asked::HandOver => self.hand_over(&seat.session, &mut roster),
            _ => false,
        };
        if is_done { Answer::Done } else { Answer::Refused(Refusal::NotAllowed) }
    }

    /// The deputy, if there is one, moderates from now on; all are told.
    pub(super) fn hand_over(&self, session: &Session, roster: &mut Roster<Arc<Outlet>>) -> bool {
        let Some(member) = roster.hand_over() else { return false };
        info!(number = %session.number, member = member.0, "somebody else moderates");
        for (_, outlet) in roster.present() {
            outlet.transmit(Frame::Notice(Notice::ModeratorIs { member, term: roster.term() }));
        }
        self.give_token(session, roster);
        // Until now only the one before was told of these.
        for away in roster.away_now() {
            tell_moderator(roster, Notice::MemberAway { member: away });
        }
        true
    }

    /// Gives the moderator a token that says what it is.
    pub(super) fn give_token(&self, session: &Session, roster: &Roster<Arc<Outlet>>) {
        let role = Role::Moderator(roster.term());
        let member = roster.moderator();
        let place = Place { session: session.id, number: session.number, member, role };
        tell_moderator(roster, Notice::Token { resume: self.resume_key.token(&place) });
    }
}
