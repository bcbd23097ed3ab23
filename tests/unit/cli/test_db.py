"""`mailwatch db migrate|check|backup`."""

import sqlite3


def test_a_database_is_created_once(bare):
    first, second = bare.run("db", "migrate"), bare.run("db", "migrate")
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert "created" in first.stderr
    assert "already" in second.stderr


def test_without_a_database_the_cure_is_told(bare):
    said = bare.run("db", "check", "--without-keys")
    assert said.exit_code == 78
    assert "create it with `mailwatch db migrate`" in said.stderr


def test_a_sound_database_ends_well(installed):
    installed.fill(2)
    assert installed.well("db", "check") == "the database is sound\n"
    assert installed.json("db", "check") == {"sound": True, "findings": []}


def test_findings_end_with_one(installed):
    installed.fill(1)
    connection = sqlite3.connect(installed.database)
    connection.execute("UPDATE secrets SET sealed = 'clear text'")
    connection.commit()
    connection.close()
    said = installed.run("db", "check")
    assert said.exit_code == 1
    assert "mb_0000" in said.stdout
    assert "clear text" not in said.output
    assert installed.run("db", "check", "--without-keys").exit_code == 0


def test_a_backup_is_a_whole_database(installed, tmp_path):
    installed.fill(2)
    installed.well("db", "backup", tmp_path / "copy.db")
    connection = sqlite3.connect(tmp_path / "copy.db")
    assert connection.execute("SELECT count(*) FROM mailboxes").fetchone() == (2,)
    connection.close()


def test_a_backup_overwrites_nothing_and_needs_a_folder(installed, tmp_path):
    installed.well("db", "backup", tmp_path / "copy.db")
    assert installed.run("db", "backup", tmp_path / "copy.db").exit_code == 2
    said = installed.run("db", "backup", tmp_path / "nowhere" / "copy.db")
    assert said.exit_code == 2
    assert "is no folder" in said.stderr


def test_a_wrong_configuration_is_told_whole(bare):
    bare.config.write_text("[store]\nurll = 1\n[web]\nx = 2\n")
    said = bare.run("db", "migrate")
    assert said.exit_code == 78
    assert "urll" in said.stderr
    assert '"x"' in said.stderr
