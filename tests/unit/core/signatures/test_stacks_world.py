"""What network stacks say in other languages than English."""

# ruff: noqa: RUF001  # letters of other scripts are the point of this file
import pytest

from mailwatch.core.causes import Cause
from mailwatch.core.classify import diagnose
from mailwatch.core.evidence import Evidence, Phase


@pytest.mark.parametrize(
    ("words", "cause"),
    [
        ("Eine vorhandene Verbindung wurde vom Remotehost geschlossen", Cause.CONNECTION_DROPPED),
        ("Se ha forzado la interrupción de una conexión existente por el host remoto", Cause.CONNECTION_DROPPED),
        ("Удаленный хост принудительно разорвал существующее подключение", Cause.CONNECTION_DROPPED),
        ("远程主机强迫关闭了一个现有的连接。", Cause.CONNECTION_DROPPED),
        ("既存の接続はリモート ホストに強制的に切断されました。", Cause.CONNECTION_DROPPED),
        ("Połączenie zerwane przez drugą stronę", Cause.CONNECTION_DROPPED),
        ("Une tentative de connexion a échoué car le parti connecté n’a pas répondu convenablement", Cause.CONNECTION_TIMEOUT),
        ("Aucun chemin d'accès pour atteindre l'hôte cible", Cause.CONNECTION_TIMEOUT),
        ("由于连接方在一段时间后没有正确答复或连接的主机没有反应，连接尝试失败。", Cause.CONNECTION_TIMEOUT),
        ("Hedef makine etkin olarak reddettiğinden bağlantı kurulamadı", Cause.CONNECTION_REFUSED),
        ("Kan geen verbinding maken omdat de doelcomputer de verbinding actief heeft geweigerd", Cause.CONNECTION_REFUSED),
        ("Temporärer Fehler bei der Namensauflösung", Cause.DNS_FAILURE),
        ("Временный сбой в разрешении имен", Cause.DNS_FAILURE),
        ("域名解析暂时失败", Cause.DNS_FAILURE),
    ],
)
def test_a_stack_is_understood_in_its_own_language(words, cause):
    assert diagnose(Evidence("network", Phase.CONNECT, words)).cause is cause


def test_a_server_that_uses_the_same_words_is_not_taken_for_our_own_stack():
    reply = "550 5.7.1 Se ha forzado la interrupción de una conexión existente: demasiados errores"
    assert not diagnose(Evidence("smtp", Phase.SUBMIT, reply)).rule.startswith("stack.")
