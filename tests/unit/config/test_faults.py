"""How a fault reads."""

from mailwatch.config.faults import ConfigError, Exit, Fault, Origin, spell, table


def test_a_fault_reads_like_a_compilers_message():
    fault = Fault(Origin("m.toml", 7, 1), ("web", "portt"), 'unknown key "portt" in [web]', 'did you mean "port"?')
    assert str(fault) == 'm.toml:7:1: unknown key "portt" in [web] \u2014 did you mean "port"?'
    assert fault.as_json() == {
        "source": "m.toml",
        "line": 7,
        "column": 1,
        "key": "web.portt",
        "problem": 'unknown key "portt" in [web]',
        "cure": 'did you mean "port"?',
    }


def test_an_origin_without_a_line_is_its_source():
    assert str(Origin("$X")) == "$X"


def test_an_error_tells_all_its_faults():
    faults = [Fault(Origin("a"), (), "one", ""), Fault(Origin("b"), (), "two", "mend")]
    error = ConfigError(faults)
    assert str(error) == "a: one\nb: two \u2014 mend"
    assert (error.faults, error.exit_code) == (tuple(faults), Exit.CONFIGURATION)


def test_paths_are_spelled_as_people_write_them():
    assert spell(("providers", "g", "hosts", 0)) == "providers.g.hosts[0]"
    assert (table(()), table(("web",))) == ("the top level", "[web]")
