"""What network stacks say where their language is not English: Windows' Winsock texts and the C library's, by what happened.

The words stand in the operating systems' own message tables (Winsock error codes 10049 to 11004; glibc's translations of
errno and of getaddrinfo). Phrases are compared without accents and without case.
"""

from typing import Final

from mailwatch.core.causes import Cause
from mailwatch.core.signatures.rule import Rule, rules

STACKS_WORLD: Final[tuple[Rule, ...]] = rules(
    "stack",
    "Winsock error codes and errno(3), as translated by Windows and glibc",
    (
        "dns_world",
        Cause.DNS_FAILURE,
        (
            "namensauflosung|resolution du nom|resolucion del nombre|risoluzione del nome|resolucao de nome|resolucao do nome"
            "|разрешении имен|разрешения имен|域名解析|名前解決|そのようなホストは不明|名前またはサービス|nieznana nazwa"
            "|rozwiazywaniu nazw"
            "|host desconocido|host sconosciuto|host onbekend|хост неизвестен|nao e conhecido|bilinen boyle bir ana bilgisayar"
            "|naam of dienst is onbekend|kein solcher host"
        ),
        "!reply",
    ),
    (
        "refused_world",
        Cause.CONNECTION_REFUSED,
        (
            "zielcomputer die verbindung verweigerte|die verbindung wurde verweigert"
            "|l'ordinateur cible l'a expressement refusee|denego expresamente"
            "|rifiuto persistente del computer|as recusou ativamente|отверг запрос на подключение|目标计算机积极拒绝"
            "|対象のコンピューターによって拒否|komputer docelowy aktywnie|verbinding actief heeft geweigerd|verbinding is geweigerd"
            "|etkin olarak reddettiginden|baglanti reddedildi|polaczenie odrzucone|接続を拒否されました"
        ),
        "!reply",
    ),
    (
        "timeout_world",
        Cause.CONNECTION_TIMEOUT,
        (
            "gegenstelle nach einer bestimmten zeitspanne|wartezeit fur die verbindung|keine route zum"
            "|netzwerk ist nicht erreichbar"
            "|da das netzwerk nicht erreichbar|nicht verfugbaren host"
            "|parti connecte n'a pas repondu|aucun chemin d'acces pour atteindre|reseau n'est pas accessible"
            "|reseau est inaccessible"
            "|parte conectada no respondio|expiro el tiempo|ninguna ruta hasta|la red es inaccesible"
            "|risposta non corretta della parte|nessun instradamento|rete non e raggiungibile"
            "|componente conectado nao respondeu|tempo esgotado|nao ha rota para|rede esta fora de alcance|rede inacessivel"
            "|за требуемое время не получен|время ожидания|нет маршрута|сеть недоступна"
            "|没有正确答复|连接的主机没有反应|连接超时|没有到主机的路由|网络不可达"
            "|正しく応答しなかった|接続がタイムアウト|経路がありません"
            "|wachttijd voor verbinding|przekroczono czas oczekiwania|brak trasy|baglanti zaman asimina"
        ),
        "!reply",
    ),
    (
        "reset_world",
        Cause.CONNECTION_DROPPED,
        (
            "vom remotehost geschlossen|vom kommunikationspartner|datenubergabe unterbrochen"
            "|fermee par l'hote distant|re initialisee par|relais brise"
            "|interrupcion de una conexion existente|tuberia rota|interrotta forzatamente|connessione interrotta dal"
            "|cancelamento de uma conexao existente|fechada pela outra ponta"
            "|разорвал существующее подключение|соединение разорвано|соединение сброшено|обрыв канала"
            "|强迫关闭|中止了一个已建立的连接|被对方重设|被对端重置|断开的管道|強制的に切断|相手からリセット"
            "|gwaltownie zamkniete|polaczenie zerwane|zerwane przez druga|geforceerd gesloten|verbinding is weggevallen"
            "|zorla kapatildi|karsi taraf baglantiyi"
        ),
        "!reply",
    ),
)
