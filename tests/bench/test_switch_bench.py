"""The bench of the switch runs on the real parts and refuses to give a figure that the tables do not bear out."""

from __future__ import annotations

import pytest
from bench.switch import _prove, codec, mixed_frames
from bench.switch_load import drive
from bench.switch_world import bench_world


def test_the_codec_is_compared_with_its_peer() -> None:
    figure = codec(rounds=1)
    assert figure.name == "iso8583.codec.vs_pyiso8583"
    assert figure.ratio > 1


@pytest.mark.req("S4")
def test_a_short_load_is_acknowledged_booked_and_proved() -> None:
    with bench_world(cards=200, terminals=200) as world:
        frames = world.frames(4_000)
        load = drive(world.host, world.port, frames, 4, 0.3)
        assert load.answers > 0
        assert load.others == 0
        assert 0 < load.p50 <= load.p99
        assert world.pgbench(1, 1) > 0
        spent = world.cpu()
        assert set(spent) == {"switch", "machine", "client", "postgres"}
        _prove(world, load.answers, load.others)
        with pytest.raises(RuntimeError, match="acknowledged"):
            _prove(world, load.answers + 1, 0)
        every_verb = mixed_frames(world, 1_500)
        load = drive(world.host, world.port, every_verb, 4, 0.3)
        assert load.answers > 0
        assert load.others == 0, "what follows an original came before it, or the mixture is refused"
        assert world.booked()[1] == 0
