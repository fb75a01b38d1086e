"""The S-boxes of DES as circuits of AND, OR, XOR and NOT, so that many keys go through one gate at a time (K2).

A circuit is read from left to right. 0 … 5 are the six input bits from the left; each gate `a^b`, `a&b`, `a|b` or `a~`
is the next number; after the colon stand the four output bits from the left. Found for this project by a randomised
search that splits a box on one input bit after another and shares whatever gates already agree; about 58 gates a box.
They are not taken on trust: `circuits` checks each against the standard's table before it hands them out.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal

from sheka.foundation.crypto.des_tables import box_value

Operation = Literal["^", "&", "|"]

INPUTS = 6
ONES = 6
"""Register of the constant 1 (all bits set): NOT is XOR with it."""

_CIRCUITS = (
    """
    0^3 2~ 0|3 7^8 9|1 6^10 1^7 12&8 13|4 11^14 1^8 16^15 1&6 18^9 19|4 17^20 1|15 22^4 23|0 23^24 25&2 21^26
    27|5 15^28 5^17 7&28 31|23 32&0 30^33 7&29 35^25 2&5 37^32 38|4 36^39 40&3 34^41 12^24 42~ 44|4 43^45 18^24
    47|3 46^48 17|25 50^6 10|41 52|2 51^53 54&5 49^55 29^44 57^56 2^57 59&40 60|1 58^61 38^42 15|21 64^51 65|5
    63^66 67&4 62^68 : 42 29 56 69
    """,
    """
    4|5 6^3 4&5 8|2 7^9 3|8 11~ 12|1 10^13 2|5 15&1 5^13 5~ 18|2 17^19 20&4 16^21 22|0 14^23 1|2 25^7 0&0 26^27
    14|5 28^29 7|19 0&14 32&17 33&1 31^34 35&4 30^36 4|24 38^20 16|5 39^40 1|38 1&4 43|14 44&5 42^45 46&0 41^47
    14^37 1&12 22^44 51|2 50^52 53&0 49^54 4|54 56^16 2&37 58^35 59|3 57^60 61|5 55^62 : 24 37 63 48
    """,
    """
    1^3 6^5 2^3 8&4 7^9 3~ 1|2 12^3 13|4 11^14 2&6 16^4 17&1 7^18 19&5 15^20 21&0 10^22 3^19 24|20 15&2 25^26
    3|23 2|5 28^29 30|1 27^31 8^32 15^33 34|3 33^35 19&34 37^33 38&4 36^39 40|0 32^41 0^24 43^30 28|42 45^7 46|2
    44^47 0&7 49^30 50|1 28^51 52&4 48^53 8^10 3&32 56&5 55^57 7^32 59&10 60&2 60^61 62|0 58^63 : 54 64 42 23
    """,
    """
    1~ 6|3 4^7 1^4 9&3 10|2 8^11 2&10 2^3 14|4 2^15 16|1 13^17 18&0 12^19 11^17 1|12 22|4 21^23 3|16 25^23 26&0
    24^27 28&5 20^29 6^24 31&18 2&24 33|20 34&0 32^35 21&34 37^8 3^11 39|19 40&1 38^41 42|5 36^43 42&5 36^45 20~
    28|5 47^48 : 46 44 30 49
    """,
    """
    0^1 5~ 7|0 8&2 6^9 0^8 11&10 12&1 7^13 14|3 10^15 2^3 17^15 18~ 9|17 20^7 21|0 19^22 23|1 18^24 25|4 16^26
    4^6 0&4 29|2 28^30 5|5 31^32 0^18 34|28 2|5 36^23 37|4 35^38 39|3 33^40 7^28 42&36 9|31 44^12 45&3 43^46
    7&38 48^46 11|38 50^49 51&2 49^52 53&1 47^54 23^33 3^42 57|27 58|1 56^59 34|51 61^43 16^51 63|3 62^64 65|4
    60^66 : 67 41 27 55
    """,
    """
    0^5 1~ 7|2 6^8 6|7 10&2 5|11 12|0 11^13 14|4 9^15 2|4 7|14 0&7 19^2 20|4 18^21 22&5 17^23 24&3 16^25 5|18
    27^20 16^20 29&26 30|4 28^31 6^7 33|19 27|4 34^35 36|3 32^37 17^33 4|9 40^32 41&3 39^42 26|36 44&3 10&38
    46^4 47&2 45^48 49&0 43^50 3&4 52^33 29&49 54^44 55|0 53^56 29&56 58^39 0|38 60&37 61&1 59^62 63|2 57^64 :
    26 51 38 65
    """,
    """
    1&5 6~ 7&0 5^8 0&6 10|3 9^11 1^10 13|2 12^14 2&3 16^3 1&3 1^17 19&0 18^20 21&5 17^22 23|4 15^24 2^18 19&26
    27|5 26^28 4^16 30|5 31&4 29^32 4&15 34|2 31^35 33&35 37|1 38|3 36^39 40&0 33^41 21^41 13^22 44&4 43^45 2^42
    47|12 48&2 46^49 25|27 51^12 0^35 53&4 52^54 55|3 50^56 7|17 58^33 14^28 23|30 61&3 60^62 63|0 59^64 : 42 65
    57 25
    """,
    """
    1~ 0|1 7|2 6^8 2^7 10|4 9^11 0|4 13|6 14&3 12^15 0&4 17&10 1|10 19&0 20&3 18^21 22|5 16^23 2^16 2^3 26&1
    25^27 3^10 29^20 30&4 28^31 4|30 33^8 1^28 35&3 34^36 37&5 32^38 4^22 40^27 0|32 42&24 43|1 13^44 45|3 41^46
    5^32 48^47 49&5 47^50 4^24 52^49 23|41 54^10 55|3 53^56 47^56 23|34 59&0 58^60 61|1 57^62 : 51 24 63 39
    """,
)


@dataclass(frozen=True, slots=True)
class Circuit:
    """A box ready to run on registers: 0 … 5 hold the inputs, 6 holds all ones, every other is scratch.

    `steps` are (operation, left, right, result) by register number; `outputs` are where the four bits end up.
    """

    steps: tuple[tuple[Operation, int, int, int], ...]
    outputs: tuple[int, ...]
    registers: int


@cache
def circuits() -> tuple[Circuit, ...]:
    """The eight boxes, each checked on all 64 inputs against the table of the standard."""
    found = tuple(_placed(*_read(text)) for text in _CIRCUITS)
    for box, circuit in enumerate(found):
        if any(run(circuit, value) != box_value(box, value) for value in range(64)):
            raise AssertionError(f"the circuit of S{box + 1} is not the box of the standard")
    return found


def run(circuit: Circuit, value: int) -> int:
    """The 4-bit output for one 6-bit input: the slow way, for checking."""
    registers = [value >> 5 - place & 1 for place in range(INPUTS)] + [1] * (circuit.registers - INPUTS)
    for operation, left, right, result in circuit.steps:
        a, b = registers[left], registers[right]
        registers[result] = a ^ b if operation == "^" else a & b if operation == "&" else a | b
    return sum(registers[output] << 3 - place for place, output in enumerate(circuit.outputs))


def _read(text: str) -> tuple[list[tuple[Operation, int, int]], list[int]]:
    """Gates with NOT written as XOR with ONES; wire 6 is the constant, so gate numbers move up by one."""
    gates: list[tuple[Operation, int, int]] = []
    body, outputs = text.split(":")
    for token in body.split():
        if token.endswith("~"):
            gates.append(("^", _wire(token[:-1]), ONES))
            continue
        for operation in ("^", "&", "|"):
            left, found, right = token.partition(operation)
            if found:
                gates.append((operation, _wire(left), _wire(right)))
    return gates, [_wire(output) for output in outputs.split()]


def _wire(number: str) -> int:
    wire = int(number)
    return wire if wire < INPUTS else wire + 1


def _placed(gates: list[tuple[Operation, int, int]], outputs: list[int]) -> Circuit:
    """Give wires registers, a register anew as soon as nothing reads it: fewer registers stay in the fast cache."""
    last_read = {wire: at for at, (_operation, *wires) in enumerate(gates) for wire in wires}
    last_read.update(dict.fromkeys(outputs, len(gates)))
    place = {wire: wire for wire in range(INPUTS + 1)}
    free: list[int] = []
    registers, steps = INPUTS + 1, []
    for at, (operation, left, right) in enumerate(gates):
        for wire in {left, right}:
            if wire != ONES and last_read[wire] == at:
                free.append(place[wire])
        if not free:
            free.append(registers)
            registers += 1
        place[at + INPUTS + 1] = free[-1]
        steps.append((operation, place[left], place[right], free.pop()))
    return Circuit(tuple(steps), tuple(place[output] for output in outputs), registers)
