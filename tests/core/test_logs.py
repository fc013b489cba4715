import logging


def test_an_unknown_host_is_one_warning_without_a_traceback(client, caplog):
    assert client.get("/healthz", headers={"host": "elsewhere.example"}).status_code == 400
    [record] = [row for row in caplog.records if row.name == "django.security.DisallowedHost"]
    assert record.levelno == logging.WARNING
    assert record.exc_info is None
