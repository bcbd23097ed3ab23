"""The example file, the documentation and the schema say what the model says."""

import re
import tomllib

from mailwatch.config import Settings, load
from mailwatch.config.pages import example, reference, schema
from mailwatch.config.shape import all_keys
from mailwatch.config.wording import as_toml


def test_the_example_file_is_the_models(repository):
    assert (repository / "config.example.toml").read_text() == example(), (
        "run: mailwatch config schema --as toml > config.example.toml"
    )


def test_the_example_equals_the_defaults(repository):
    assert load(repository / "config.example.toml", {}) == Settings()


def test_the_example_names_every_key(repository):
    text = (repository / "config.example.toml").read_text()
    for key in all_keys():
        assert re.search(rf"^(# )?{key.path[-1]} = ", text, re.MULTILINE), key.path


def test_the_example_with_every_comment_taken_away_is_still_a_configuration(tmp_path):
    assignment = re.compile(r"^# (\[[a-z.]+\]|[a-z_]+ = .*)$")
    lines = [found[1] if (found := assignment.match(line)) else line for line in example().splitlines()]
    (tmp_path / "all.toml").write_text("\n".join(lines))
    settings = load(tmp_path / "all.toml", {})
    assert settings.oauth["outreach"].tenant == "contoso.example"
    assert settings.providers["example"].hosts == ("*.mail.example.org",)
    assert settings.network.ca_file is not None


def test_every_key_has_a_description():
    assert [key.path for key in all_keys() if len(key.description) < 10] == []


def test_the_documentation_holds_the_models_reference(repository):
    text = (repository / "docs" / "configuration.md").read_text()
    assert reference() in text, "put the output of `mailwatch config schema --as markdown` at its end"


def test_the_schema_knows_every_section_and_refuses_unknown_keys():
    made = schema()
    assert set(made["properties"]) == set(Settings.model_fields)
    assert made["additionalProperties"] is False
    assert all(part["additionalProperties"] is False for part in made["$defs"].values() if part["type"] == "object")


def test_the_schemas_defaults_are_the_examples():
    document = tomllib.loads(example())
    definitions = schema()["$defs"]
    for section, reference_ in schema()["properties"].items():
        name = reference_.get("$ref", "").rpartition("/")[2]
        for key, value in document.get(section, {}).items():
            if name and not isinstance(value, dict):
                assert as_toml(definitions[name]["properties"][key]["default"]) == as_toml(value)
