"""The address of a database from its parts: libpq reads back what was typed, whatever signs are in it."""

from hypothesis import given
from hypothesis import strategies as st
from psycopg.conninfo import conninfo_to_dict

from sptrader_desktop.present.database_address import DatabaseParts, ServerTold, in_window_words

# What can stand in a form and in a connection: no control characters.
TEXT = st.text(st.characters(min_codepoint=32, max_codepoint=0x24F, exclude_characters="\x7f"), max_size=12).map(str.strip)
HOSTS = st.sampled_from(["localhost", "db.example.org", "10.0.0.7", "::1", "/run/my postgres"])


@given(HOSTS, st.one_of(st.just(""), st.integers(1, 65535).map(str)), TEXT, TEXT, TEXT)
def test_libpq_reads_back_what_was_typed(host: str, port: str, database: str, user: str, password: str) -> None:
    parts = DatabaseParts(host, port, database, user, password if user else "")
    assert parts.fault() == ""
    wanted = {"host": host, "port": port, "dbname": database, "user": user, "password": parts.password}
    assert conninfo_to_dict(parts.address()) == {key: value for key, value in wanted.items() if value}


def test_what_is_missing_or_wrong_is_said_before_a_server_is_asked() -> None:
    assert DatabaseParts(port="1").fault().startswith("Host is empty")
    assert DatabaseParts("h", "http").fault() == "Port http: give a number from 1 to 65535, mostly 5432"
    assert DatabaseParts("h", "٣").fault().startswith("Port ٣")
    assert DatabaseParts("h", password="x").fault().startswith("User is empty")


@given(TEXT.filter(lambda text: len(text) > 3 and "pass" not in text))
def test_no_password_is_in_what_people_are_told(password: str) -> None:
    parts = DatabaseParts("host", "0", "database", "user", f"pass{password}")
    assert f"pass{password}" not in parts.fault()


def test_a_server_is_told_with_timescale_or_without() -> None:
    assert "TimescaleDB 2.17" in ServerTold("me@here", "17.2", "2.17", True, True).sentence()
    assert "TimescaleDB could be installed" in ServerTold("me@here", "17.2", "", True).sentence()
    assert "no TimescaleDB" in ServerTold("me@here", "17.2").sentence()


def test_sentences_for_the_command_line_speak_of_the_form() -> None:
    said = in_window_words("start it and do it again, or unset DATABASE_URL to use the program's own; else correct DATABASE_URL")
    assert said == "start it and do it again, or choose the program's own; else correct the address"
