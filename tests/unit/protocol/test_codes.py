"""The table of codes is the one that clients know, and every code has its words."""

from v2v.protocol.codes import CLOSES, ERRORS, CloseCode, ErrorCode

CODES = """invalid_register invalid_location unknown_event target_offline rate_limited auth_failed validation_error
not_registered forbidden not_found conflict locked expired clock_skew unavailable internal_error"""
CLOSE_CODES = [1000, 1003, 1007, 1009, 1012, 1013, 4400, 4401, 4403, 4408, 4409, 4410, 4429, 4431]


def test_the_codes_are_those_that_clients_know() -> None:
    assert [str(code) for code in ErrorCode] == CODES.split()
    assert sorted(CloseCode) == CLOSE_CODES


def test_every_error_code_has_words_and_a_status() -> None:
    assert set(ERRORS) == set(ErrorCode)
    for text in ERRORS.values():
        assert text.title.endswith(".")
        assert text.advice.endswith(".")
        assert 400 <= text.http_status < 600


def test_every_close_code_has_a_reason_that_fits_a_close_frame() -> None:
    assert set(CLOSES) == set(CloseCode)
    for text in CLOSES.values():
        assert 0 < len(text.reason.encode()) <= 123  # RFC 6455, 5.5: 125 bytes with the code
