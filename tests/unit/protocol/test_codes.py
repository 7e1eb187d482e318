from v2v.protocol.codes import CLOSES, ERRORS, CloseCode, ErrorCode


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
