"""Phases, timings and the conversation of one visit."""

from mailwatch.core.evidence import Phase
from mailwatch.probe.redact import Redactor
from mailwatch.probe.trace import Trace


def test_each_step_has_its_own_time_and_steps_come_back() -> None:
    now = [100.0]
    trace = Trace(lambda: now[0])
    for phase, seconds in ((Phase.CONNECT, 1.0), (Phase.STARTTLS, 2.0), (Phase.TLS, 3.0), (Phase.STARTTLS, 4.0)):
        now[0] += seconds
        trace.enter(phase)
    now[0] += 0.5
    assert trace.timings_seconds() == {Phase.RESOLVE: 1.0, Phase.CONNECT: 2.0, Phase.STARTTLS: 3.5, Phase.TLS: 4.0}
    assert trace.phase is Phase.STARTTLS


def test_a_conversation_keeps_its_head_and_its_tail_short_and_without_secrets() -> None:
    redactor = Redactor()
    redactor.learn("anna", "s3cret-word")
    trace = Trace(lambda: 0.0)
    trace.sent("EHLO here")
    for number in range(1000):
        trace.received(f"line {number} s3cret-word \x1b[31m " + "x" * 5000)
    lines = trace.conversation(redactor)
    assert len(lines) == 41
    assert lines[0].sent
    assert lines[1].text.startswith("line 0 *** \ufffd[31m")
    assert "left out" in lines[12].text
    assert lines[-1].text.startswith("line 999")
    assert max(len(line.text) for line in lines) <= 200


def test_a_short_conversation_is_whole() -> None:
    trace = Trace(lambda: 0.0)
    trace.sent("a")
    trace.received(b"b\xff")
    assert [(line.sent, line.text) for line in trace.conversation(Redactor())] == [(True, "a"), (False, "b\ufffd")]


def test_a_long_secret_that_a_server_repeats_leaves_no_head_where_the_line_is_cut() -> None:
    token = "eyJ" + "Q29udGVudE9mVG9rZW4" * 75
    redactor = Redactor()
    redactor.learn("anna", token)
    trace = Trace(lambda: 0.0)
    for text in (f"NO {token} {token}", f"NO {token} {token}".encode()):
        trace.received(text)
    assert [line.text for line in trace.conversation(redactor)] == ["NO *** ***"] * 2
