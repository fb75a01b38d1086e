"""Commands over a reader: the exchange of the house (61xx, 6Cxx followed up) and the refusals of a bad answer (H4)."""

from __future__ import annotations

from sheka.equipment.card_reader.reader import Reader
from sheka.foundation.chip.apdu import Command, Response, describe
from sheka.foundation.chip.steps import exchange
from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term


def meaning(status: int) -> Term:
    """What a status word says, in both languages."""
    return Term(describe(status, "zh-Hans"), describe(status, "en"))


class Channel:
    """The command channel to a powered card."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def exchange(self, command: Command) -> Response:
        """Send a command, fetch all of its answer. The status is the card's own.

        Refused only for a lost card, and CARD_DATA_MALFORMED for one that announces more and more without an end.
        """
        return exchange(self._reader.transmit, command)

    def must(self, step: Term, command: Command) -> bytes:
        """The answer's data; Refused(CARD_ANSWERED) names the step when the status is not 9000."""
        response = self.exchange(command)
        if not response.ok:
            raise answered(step, response.status)
        return response.data


def answered(step: Term, status: int) -> Refused:
    """The refusal for a step that the card did not carry out."""
    return Refused(Code.CARD_ANSWERED, step=step, status=f"{status:04X}", meaning=meaning(status))
