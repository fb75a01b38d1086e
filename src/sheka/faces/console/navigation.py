"""Where the console leads: the systems on top in the mission's words, at the side the pages of the one that is open,
as far as the reader may open them, with what waits in each.

A topic adds its pages here: an Entry in the System where its readers look for it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.urls import ResolverMatch, reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from sheka.office.approvals.queries import to_decide
from sheka.office.incidents.queries import running_at
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.cards.queries import exchanges_served
from sheka.systems.cards.states import OPEN_EXCHANGE
from sheka.systems.ceremonies.queries import turns_of
from sheka.systems.clearing.queries_of_pages import days_waiting_for
from sheka.systems.custody.queries import hand_overs
from sheka.systems.exceptions.queries import running_at as exceptions_running
from sheka.systems.issuance.queries import applications_held_by
from sheka.systems.transactions.queries_of_acquiring import certificates_ending
from sheka.systems.transactions.queries_of_lines import terminals_locked


@dataclass(frozen=True, slots=True)
class Waiting:
    """How much waits behind an entry, and whether some of it is late."""

    number: int
    late: bool = False


def exchanges_waiting(actor: Actor) -> Waiting:
    """Exchanges that run; late when one is not ready on its day."""
    running = exchanges_served(actor).filter(state__in=OPEN_EXCHANGE)
    late = running.exclude(state="ready").filter(due_on__lt=timezone.localdate())
    return Waiting(running.count(), late.exists())


def approvals_waiting(actor: Actor) -> Waiting:
    """Requests that wait for a right of the reader; late when one lapses within a day."""
    waiting = to_decide(actor)
    return Waiting(waiting.count(), waiting.filter(due_at__lt=timezone.now() + timedelta(days=1)).exists())


def hand_overs_waiting(actor: Actor) -> Waiting:
    """Hand-overs that wait for somebody here; late when one is beyond its time."""
    running = hand_overs(actor).filter(state__in=("begun", "given"))
    return Waiting(running.count(), running.filter(expires_at__lt=timezone.now()).exists())


def applications_waiting(actor: Actor) -> Waiting:
    """Applications that this organisation has to decide."""
    return Waiting(applications_held_by(actor.organisation).filter(state="open", turn=actor.organisation).count())


def ceremonies_waiting(actor: Actor) -> Waiting:
    """Ceremonies in which it is the reader's turn."""
    return Waiting(len(turns_of(actor)))


def incidents_waiting(actor: Actor) -> Waiting:
    """Incidents that run here; late when a clock has run out."""
    running = running_at(actor)
    return Waiting(running.count(), running.filter(due_at__lte=timezone.now()).exists())


def exceptions_waiting(actor: Actor) -> Waiting:
    """Abnormal transactions that run; late when one is past its deadline."""
    running = exceptions_running(actor)
    return Waiting(running.count(), running.filter(due_on__lt=timezone.localdate()).exists())


def clearing_waiting(actor: Actor) -> Waiting:
    """Sealed days that wait for the reader: to be reconciled, or to be netted."""
    return Waiting(days_waiting_for(actor).count())


def terminals_waiting(actor: Actor) -> Waiting:
    """Terminals that the switch locked, for who may unlock them."""
    return Waiting(terminals_locked(actor).count() if actor.may(Permission.TERMINAL_UNLOCK) else 0)


def certificates_waiting(actor: Actor) -> Waiting:
    """Certificates that end soon with none after them, for who registers the next; late when it is a week."""
    if not actor.may(Permission.ACQUIRING_REGISTER):
        return Waiting(0)
    ending = certificates_ending(actor)
    return Waiting(ending.count(), ending.filter(valid_to__lt=timezone.now() + timedelta(days=7)).exists())


@dataclass(frozen=True, slots=True)
class Entry:
    """One page at the side. `page`: the name of its address. `needs`: the permission that opens it, several of which
    one is enough, or none for what every member of staff may open. `covers`: beginnings of the names of the pages
    below it, on which it is marked too. `waits`: what it counts.
    """

    title: str | Promise
    page: str
    needs: Permission | tuple[Permission, ...] | None = None
    covers: tuple[str, ...] = ()
    waits: Callable[[Actor], Waiting] | None = None

    def opens_for(self, actor: Actor) -> bool:
        """Whether this reader may open the page."""
        needed = (self.needs,) if isinstance(self.needs, Permission) else self.needs
        return needed is None or any(actor.may(one) for one in needed)

    def holds(self, view_name: str) -> bool:
        """Whether a page is this one or lies below it."""
        return view_name == self.page or view_name.startswith(self.covers or ("\0",))


@dataclass(frozen=True, slots=True)
class System:
    """One of the systems on top. `key`: the letter after `g` that goes there. `covers`: as for an Entry, of pages that
    the side does not list.
    """

    title: str | Promise
    key: str
    entries: tuple[Entry, ...]
    covers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Link:
    """`current`: what aria-current says: "page" for the page itself, "true" for what it lies in, "" for neither."""

    title: str | Promise
    address: str
    current: str
    key: str = ""
    waiting: Waiting | None = None


@dataclass(frozen=True, slots=True)
class Navigation:
    """The systems that the reader may open; the one that is open, with its pages."""

    systems: list[Link]
    title: str | Promise
    pages: list[Link]


SYSTEMS: tuple[System, ...] = (
    System(
        _("My work"),
        "w",
        (
            Entry(_("Overview"), "console:overview"),
            Entry(_("Approvals"), "console:approvals", covers=("console:approvals_",), waits=approvals_waiting),
            Entry(_("Documents"), "console:documents", Permission.DOCUMENT_VIEW, covers=("console:documents_",)),
        ),
        covers=("console:work", "console:search"),
    ),
    System(
        _("Card management"),
        "c",
        (
            Entry(_("Cards"), "console:cards", Permission.CARD_VIEW, covers=("console:card",)),
            Entry(
                _("Exchanges"),
                "console:exchanges",
                Permission.CARD_VIEW,
                covers=("console:exchange",),
                waits=exchanges_waiting,
            ),
        ),
    ),
    System(
        _("Issuance management"),
        "i",
        (
            Entry(_("Applications"), "console:issuance", Permission.ISSUANCE_VIEW, waits=applications_waiting),
            Entry(_("Issuer identification numbers"), "console:issuance_numbers", Permission.ISSUANCE_VIEW),
        ),
    ),
    System(
        _("Key management"),
        "k",
        (
            Entry(
                _("Keys"),
                "console:keys",
                Permission.KEY_VIEW,
                covers=("console:keys_one", "console:keys_tree", "console:keys_first_tree", "console:keys_ask"),
            ),
            Entry(_("Catalogue of keys"), "console:keys_catalogue", Permission.KEY_VIEW),
            Entry(
                _("Consignments of sub-keys"),
                "console:keys_consignments",
                Permission.KEY_VIEW,
                covers=("console:keys_consignment",),
            ),
            Entry(
                _("Key ceremonies"),
                "console:ceremonies",
                Permission.CEREMONY_VIEW,
                covers=("console:ceremonies_",),
                waits=ceremonies_waiting,
            ),
            Entry(
                _("Encryption machines"),
                "console:machines_list",
                Permission.MACHINE_VIEW,
                covers=("console:machines_",),
            ),
            Entry(_("Unseal the machine"), "console:machines_unseal", Permission.MACHINE_UNSEAL),
            Entry(
                _("Key carriers"),
                "console:custody",
                Permission.CARRIER_VIEW,
                covers=("console:custody_carrier", "console:custody_issue"),
            ),
            Entry(
                _("Hand-overs of carriers"),
                "console:custody_hand_overs",
                Permission.CARRIER_VIEW,
                covers=("console:custody_hand_over",),
                waits=hand_overs_waiting,
            ),
            Entry(
                _("Orders of carriers"),
                "console:custody_orders",
                Permission.CARRIER_VIEW,
                covers=("console:custody_order",),
            ),
            Entry(
                pgettext_lazy("custody", "Places"),
                "console:custody_places",
                Permission.CARRIER_VIEW,
                covers=("console:custody_place",),
            ),
            Entry(
                _("Stock counts"), "console:custody_counts", Permission.CARRIER_VIEW, covers=("console:custody_count",)
            ),
            Entry(
                pgettext_lazy("custody", "Third parties"),
                "console:custody_parties",
                Permission.CARRIER_VIEW,
                covers=("console:custody_part", "console:custody_filing"),
            ),
            Entry(
                _("Destruction of carriers"),
                "console:custody_destructions",
                Permission.CARRIER_VIEW,
                covers=("console:custody_destruction",),
            ),
        ),
    ),
    System(
        _("Transaction management"),
        "t",
        (
            Entry(
                _("Transactions"),
                "console:transactions",
                Permission.TRANSACTION_VIEW,
                covers=("console:transactions_one", "console:transactions_whole", "console:transactions_archived"),
            ),
            Entry(
                _("Archive of days"),
                "console:transactions_archive",
                (Permission.ARCHIVE_WRITE, Permission.ARCHIVE_DECIDE, Permission.TRANSACTION_VERIFY),
                covers=("console:transactions_archive_",),
            ),
            Entry(_("Live board of the switch"), "console:transactions_board", Permission.SWITCH_VIEW),
            Entry(
                _("Institutions"),
                "console:acquiring",
                Permission.ACQUIRING_VIEW,
                covers=(
                    "console:acquiring_institution",
                    "console:acquiring_register",
                    "console:acquiring_verb",
                    "console:acquiring_tests",
                    "console:acquiring_line",
                ),
            ),
            Entry(
                _("Terminals"),
                "console:acquiring_terminals",
                Permission.ACQUIRING_VIEW,
                covers=("console:acquiring_terminal",),
                waits=terminals_waiting,
            ),
            Entry(_("Where the terminals are"), "console:acquiring_map", Permission.ACQUIRING_VIEW),
            Entry(
                _("Certificates of lines"),
                "console:acquiring_certificates",
                Permission.ACQUIRING_VIEW,
                covers=("console:acquiring_certificate",),
                waits=certificates_waiting,
            ),
            Entry(
                _("Cards for tests"),
                "console:acquiring_cards",
                (Permission.ACQUIRING_VIEW, Permission.ACCOUNT_DEPOSIT),
                covers=("console:acquiring_money",),
            ),
            Entry(
                _("PSAM stock"),
                "console:psams",
                Permission.PSAM_VIEW,
                covers=("console:psams_one", "console:psams_verb", "console:psams_map"),
            ),
            Entry(_("Orders of PSAMs"), "console:psams_orders", Permission.PSAM_VIEW, covers=("console:psams_order",)),
            Entry(
                _("Block list"),
                "console:psams_blocks",
                Permission.BLOCK_VIEW,
                covers=("console:psams_block", "console:psams_lift"),
            ),
        ),
    ),
    System(
        _("Account management"),
        "m",
        (
            Entry(
                _("Accounts"),
                "console:accounts",
                Permission.ACCOUNT_VIEW,
                covers=(
                    "console:accounts_one",
                    "console:accounts_verb",
                    "console:accounts_statement",
                    "console:accounts_correct",
                    "console:accounts_release",
                    "console:accounts_payout",
                    "console:accounts_late",
                ),
            ),
            Entry(
                _("Files of deposits"),
                "console:accounts_files",
                Permission.ACCOUNT_VIEW,
                covers=("console:accounts_file",),
            ),
            Entry(
                _("Interest"),
                "console:accounts_interest",
                Permission.ACCOUNT_VIEW,
                covers=("console:accounts_interest",),
            ),
        ),
    ),
    System(
        _("Clearing management"),
        "l",
        (
            Entry(
                _("Clearing"),
                "console:clearing",
                Permission.CLEARING_VIEW,
                covers=("console:clearing",),
                waits=clearing_waiting,
            ),
        ),
    ),
    System(
        _("Abnormal transactions"),
        "e",
        (
            Entry(
                _("Exceptions desk"),
                "console:exceptions",
                Permission.EXCEPTION_VIEW,
                covers=("console:exceptions_one", "console:exceptions_do"),
                waits=exceptions_waiting,
            ),
            Entry(
                _("Disputes taken here"),
                "console:exceptions_disputes",
                Permission.EXCEPTION_DISPUTE,
                covers=("console:exceptions_d", "console:exceptions_one"),
            ),
            Entry(
                _("Automatic rules"),
                "console:exceptions_rules",
                Permission.EXCEPTION_VIEW,
                covers=("console:exceptions_rules_",),
            ),
        ),
    ),
    System(
        _("Incidents"),
        "s",
        (
            Entry(
                _("Incident desk"),
                "console:incidents",
                Permission.INCIDENT_VIEW,
                covers=(
                    "console:incidents_one",
                    "console:incidents_do",
                    "console:incidents_answer",
                    "console:incidents_thing",
                ),
                waits=incidents_waiting,
            ),
            Entry(_("Report an incident"), "console:incidents_report", Permission.INCIDENT_REPORT),
            Entry(
                _("Emergency plans"),
                "console:incidents_plans",
                Permission.INCIDENT_VIEW,
                covers=("console:incidents_plan", "console:incidents_drill"),
            ),
            Entry(_("Figures"), "console:incidents_figures", Permission.INCIDENT_VIEW),
        ),
    ),
    System(
        _("People and organisations"),
        "p",
        (
            Entry(
                _("People"),
                "console:staff_people",
                Permission.STAFF_VIEW,
                covers=("console:staff_person", "console:staff_verb", "console:staff_appoint", "console:staff_end"),
            ),
            Entry(
                _("Organisations"),
                "console:staff_organisations",
                Permission.ORGANISATION_VIEW,
                covers=("console:staff_organisation", "console:staff_add"),
            ),
            Entry(
                _("Clients of the API"),
                "console:clients_list",
                Permission.CLIENT_MANAGE,
                covers=("console:clients_",),
            ),
        ),
    ),
    System(
        _("Audit"),
        "a",
        (Entry(_("Audit"), "console:auditing_events", Permission.AUDIT_READ, covers=("console:auditing",)),),
    ),
    System(
        _("Operation"),
        "o",
        (
            Entry(_("System health"), "console:operations_health", Permission.SYSTEM_VIEW),
            Entry(_("Jobs"), "console:jobs_list", covers=("console:jobs",)),
            Entry(
                _("Working days"),
                "console:operations_calendars",
                covers=("console:operations_calendar", "console:operations_notice", "console:operations_recount"),
            ),
        ),
    ),
)


def navigation_for(actor: Actor, match: ResolverMatch | None) -> Navigation:
    """What this reader may open, and where they are. A page that belongs to no system shows the reader's own work."""
    here = match.view_name if match else ""
    open_to = [
        (system, entries)
        for system in SYSTEMS
        if (entries := [entry for entry in system.entries if entry.opens_for(actor)])
    ]
    place = next((n for n, (_s, entries) in enumerate(open_to) if any(entry.holds(here) for entry in entries)), 0)
    system, entries = open_to[place]
    nearest = max(
        (entry for entry in entries if entry.holds(here)),
        key=lambda entry: (entry.page == here, max(map(len, entry.covers), default=0)),
        default=None,
    )
    return Navigation(
        [
            Link(
                one.title,
                reverse(pages[0].page),
                "true" if n == place and (nearest or here.startswith(one.covers or ("\0",))) else "",
                one.key,
            )
            for n, (one, pages) in enumerate(open_to)
        ],
        system.title,
        [
            Link(
                entry.title,
                reverse(entry.page),
                "" if entry is not nearest else "page" if entry.page == here else "true",
                waiting=entry.waits(actor) if entry.waits else None,
            )
            for entry in entries
        ],
    )
