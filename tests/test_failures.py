"""What a person is told of a failure: the sentence of ours as it is, the traceback apart, the same one counted, and no secret anywhere."""

import errno
from datetime import UTC, datetime
from importlib.metadata import version

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sptrader_desktop.core.errors import DataError, SptraderError
from sptrader_desktop.present.diagnostics import LIBRARIES, diagnostics_text, libraries, settings_text, versions_text
from sptrader_desktop.present.failures import ADVICE, BY_ERRNO, MOST_KINDS, Failures, failure_of
from sptrader_desktop.present.secrets import HIDDEN, without_secrets
from sptrader_desktop.settings import load_settings

AT = datetime(2024, 1, 9, 4, 30, tzinfo=UTC)
SECRET = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=8, max_size=24).map("Q7z".__add__)
WRITTEN = [
    "postgresql://trader:{}@db.example:5432/candles",
    "redis://:{}@localhost:6379/0",
    "cannot reach rediss://user:p/{}@host/1, try again",
    "host=db user=me password={} dbname=x",
    "https://api.example/v3/candles?symbol=EURUSD&api_key={}&count=5",
    "Authorization: Bearer {}",
    "authorization=Basic {}",
    '{{"token": "{}", "symbol": "EURUSD"}}',
    "{{'OANDA_TOKEN': '{}'}}",
    "PGPASSWORD={}",
    "client_secret: {}",
    "access-key = {}",
    'password="with \\" and spaces {}"',
    "-----BEGIN RSA PRIVATE KEY-----\n{}\n-----END RSA PRIVATE KEY-----",
    "-----BEGIN PRIVATE KEY-----\n{}\n(cut off",
]


@given(SECRET, st.sampled_from(WRITTEN), st.text(max_size=20))
def test_no_secret_survives_however_it_was_written(secret: str, written: str, around: str) -> None:
    text = f"{around} \n{written.format(secret)}\n {around}"
    hidden = without_secrets(text)
    assert secret not in hidden
    assert HIDDEN in hidden
    assert without_secrets(hidden) == hidden


@pytest.mark.parametrize(
    "text",
    [
        "EURUSD 1h 2024-01-09T04:30Z open 1.09421 close 1.09433",
        "strategies/ma_crossover.yaml:9:5: entry.size = 2: a fraction is at most 1; did you mean '0.2'?",
        "https://example.org/candles?symbol=EURUSD",
        "the keyboard has keys; a key is a key: press it",
        "File candles.py, line 12, in read: raise DataError(sentence)",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert without_secrets(text) == text


def test_an_address_keeps_what_says_where_it_leads() -> None:
    assert without_secrets("postgresql://me:pw@db.example:5432/candles") == f"postgresql://{HIDDEN}@db.example:5432/candles"


def raised(error: BaseException) -> BaseException:
    try:
        raise error
    except type(error) as caught:
        return caught


@pytest.mark.parametrize("kind", [SptraderError, DataError])
def test_a_sentence_of_ours_is_shown_as_it_is_without_a_traceback(kind: type[SptraderError]) -> None:
    failure = failure_of(raised(kind("row 7: high is below low: mend the file")), "opening the file", AT)
    assert (failure.what, failure.why) == ("Opening the file failed", "row 7: high is below low: mend the file")
    assert (failure.to_do, failure.details) == ("", "")


@pytest.mark.parametrize("number", sorted(BY_ERRNO))
def test_what_the_system_refused_names_the_file_and_the_next_step(number: int) -> None:
    failure = failure_of(raised(OSError(number, "refused", "layout.json")), "Saving", AT)
    assert failure.why == "refused: layout.json"
    assert failure.to_do == BY_ERRNO[number]
    assert failure_of(raised(OSError(errno.EIO, "bad", "x")), "Saving", AT).to_do == ADVICE


def test_an_unforeseen_error_is_called_a_mistake_of_the_program_and_keeps_its_traceback() -> None:
    failure = failure_of(raised(ZeroDivisionError("division by zero\nsecond line")), "Painting the chart", AT)
    assert failure.why == "The program made a mistake (ZeroDivisionError: division by zero)."
    assert failure.to_do == ADVICE
    assert "test_failures.py" in failure.details


def test_secrets_are_in_neither_sentence_nor_details() -> None:
    error = raised(ValueError("redis://:hunter2hunter2@host refused"))
    failure = failure_of(error, "Connecting", AT)
    assert "hunter2" not in failure.why + failure.details
    assert "hunter2" not in diagnostics_text([failure], {"address": "redis://:hunter2hunter2@host"})


@given(st.lists(st.integers(0, 60), max_size=120))
def test_the_same_failure_is_counted_and_the_newest_are_kept(numbers: list[int]) -> None:
    failures = Failures(lambda: AT)
    for number in numbers:
        failures.tell(DataError(f"file {number} is gone"), "Opening")
    said = failures.said.value
    assert len(said) == min(len(set(numbers)), MOST_KINDS)
    if len(set(numbers)) <= MOST_KINDS:
        assert {failure.why: failure.times for failure in said} == {f"file {n} is gone": numbers.count(n) for n in numbers}
    if numbers:
        assert said[-1].why == f"file {numbers[-1]} is gone"


def test_diagnostics_say_versions_failures_and_how_often() -> None:
    failures = Failures(lambda: AT)
    for _ in range(3):
        failures.tell(DataError("it is gone"), "Opening")
    text = diagnostics_text(failures.said.value, {"Qt": "6.11"})
    assert "Opening failed (3 times, last at 2024-01-09 04:30:00Z)\nit is gone" in text
    assert f"numba {version('numba')}" in text
    assert "Qt: 6.11" in text


def test_all_libraries_of_the_program_are_named_with_version_and_licence() -> None:
    found = {library.name: library for library in libraries()}
    assert set(found) == set(LIBRARIES)
    assert all(library.version == version(name) and library.licence for name, library in found.items())
    assert "BSD" in found["pandas"].licence
    assert "LGPL" in found["PySide6-Essentials"].licence


def test_settings_say_places_but_of_addresses_only_whether_they_are_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://me:hunter2@db/x")
    text = settings_text(load_settings())
    assert "hunter2" not in text
    assert "db/x" not in text
    assert "database_url: set" in text
    assert "redis_url: not set" in text
    assert f"workspace: {load_settings().workspace}" in text
    assert "pytest" in versions_text()
