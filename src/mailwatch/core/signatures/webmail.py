"""What Yahoo and AOL, iCloud, Zoho, Yandex, Mail.ru, GoDaddy, the French and German providers and NetEase/Tencent say, by provider.

Sources: senders.yahooinc.com/smtp-error-codes, support.apple.com/102525, zoho.com/mail/help, yandex.com/support/mail,
help.mail.qq.com, help.mail.163.com, postmaster.orange.fr, and the replies themselves.
"""

from typing import Final

from mailwatch.core.causes import Cause
from mailwatch.core.signatures.rule import Rule, rules

YAHOO: Final[tuple[Rule, ...]] = rules(
    "yahoo",
    "senders.yahooinc.com/smtp-error-codes",
    ("verify_account", Cause.WEB_LOGIN_REQUIRED, "mbr1240|please verify your account|ocf18"),
    ("auth_backend", Cause.SERVER_UNAVAILABLE, "ocf12|server error please try again later"),
    ("rate_limit", Cause.RATE_LIMITED, "rate limit hit|max message per connection reached"),
    ("greylisted", Cause.RATE_LIMITED, "gl01"),
    (
        "deferred_user_complaints",
        Cause.IP_BLOCKED,
        (
            "messages from temporarily deferred|message from temporarily deferred|permanently deferred|temporarily deferred due to"
            " user complaints|user complaints"
        ),
    ),
    ("aol_address", Cause.IP_BLOCKED, "rtr bb|rtr du|rtr rd|rtr sc|rtr bl|con b1|rly ir|rly bl"),
    ("aol_rate", Cause.RATE_LIMITED, "dyn t1|dyn t2|rly b1|rly b2|rly b3"),
    ("aol_content", Cause.SENDING_BLOCKED, "hvu b1|hvu b2|rly bd|rly ch"),
    ("unexpected_volume", Cause.IP_BLOCKED, "tss04|tss05|tss09|unexpected volume or user complaints"),
    ("listed", Cause.IP_BLOCKED, "connections will not be accepted from"),
    (
        "policy",
        Cause.SENDING_BLOCKED,
        "not accepted for policy reasons|pht01|unresolvable rfc 5321 from domain|unable to deliver due to dmarc",
    ),
    ("deferred", Cause.RATE_LIMITED, "message temporarily deferred please refer|message temporarily deferred see", "4xx"),
    ("mailbox_disabled", Cause.ACCOUNT_DISABLED, "this mailbox is disabled|this user doesn't have a yahoo account"),
    ("too_many_sessions", Cause.CONNECTION_LIMIT, "too many open imap connections"),
    ("from_unverified", Cause.ACCESS_DENIED, "from address not verified"),
    ("sending_limit", Cause.SENDING_LIMIT, "exceeded the sending limit|daily limit of messages"),
)

ASIA: Final[tuple[Rule, ...]] = rules(
    "netease_tencent",
    "help.mail.163.com, help.mail.qq.com, service.mail.qq.com/detail/122",
    (
        "authorized_code",
        Cause.APP_PASSWORD_REQUIRED,
        "authorized code|weixin token|authorization code to login|请使用授权码|授权码",
    ),
    ("one_text_for_five", Cause.INVALID_CREDENTIALS, "account is abnormal service is not open password is incorrect"),
    ("unsafe_login", Cause.WEB_LOGIN_REQUIRED, "unsafe login"),
    ("auth_error_limit", Cause.IP_BLOCKED, "smtp auth error limit exceed|ip is rejected"),
    ("ip_frequency", Cause.RATE_LIMITED, "frequency limited|connection frequency limited|too many client error"),
    ("suspected_ip", Cause.IP_BLOCKED, "suspected spam ip|ip in blacklist|blacklist ip"),
    ("dt_spm", Cause.SENDING_BLOCKED, "dt spm|dt sum|mail content denied|mail is rejected by recipients|spf or dkim"),
    (
        "dt_limits",
        Cause.SENDING_LIMIT,
        "mi sfq|mi dmc|rp drc|rp qrc|rp rcl|rp trc|rp mrc|too much recipient",
    ),
    ("hl_too_many", Cause.CONNECTION_LIMIT, "hl icc|hl itc"),
    ("hl_too_fast", Cause.RATE_LIMITED, "hl ifc|mi ccl|rp ccl|mi stc|too much fail authentication"),
    ("hl_address", Cause.IP_BLOCKED, "hl rep|hl mep|hl ihu|hl ipb|wm bli|dt rbl|im ima"),
    ("mi_sender", Cause.SENDING_BLOCKED, "mi spb|wm blu|mi spf|mi dma|user in blacklist"),
    ("mi_errors", Cause.PROTOCOL_ERROR, "mi cel|rp cel|mi nhd|mi imf"),
    ("rp_relay", Cause.ACCESS_DENIED, "rp frl|local user only|null sender is not allowed"),
    ("mail_from_mismatch", Cause.ACCESS_DENIED, "mail from must equal authorized user|must equal authorized"),
    ("ehlo_and_auth", Cause.INVALID_CREDENTIALS, "need ehlo and auth first|authentication is required|need auth first", "!token"),
    ("user_suspended", Cause.ACCOUNT_DISABLED, "user suspended|err login userdisabled|account disabled|user is forbidden"),
    ("service_not_opened", Cause.PROTOCOL_DISABLED, "user has no permission", "auth"),
    ("aliyun_sender", Cause.ACCESS_DENIED, "mail from account doesn't conform"),
    ("domain_denied", Cause.ACCESS_DENIED, "err login domaindeny|domaindeny"),
    ("not_exist", Cause.MAILBOX_MISSING, "err login usernotexist|usernotexist"),
    ("pass_error", Cause.INVALID_CREDENTIALS, "err login passerr|passerr|password error|密码错误|帐号或密码|账号或密码"),
    ("too_often", Cause.RATE_LIMITED, "登录太频繁|登录频繁|过于频繁|频率"),
    ("too_many_wrong", Cause.WEB_LOGIN_REQUIRED, "密码输入错误次数过多|错误次数过多"),
    ("ip_denied", Cause.IP_BLOCKED, "ip无法登录|ip在黑名单|ip被|当前ip"),
    ("change_in_browser", Cause.PASSWORD_EXPIRED, "修改密码后再登录|密码已过期|密码过期|修改密码"),
    (
        "protocol_off",
        Cause.PROTOCOL_DISABLED,
        (
            "未开启|未开通|服务未|没有开启|协议未|service is not open|未被授权使用"
            "|open imap smtp service first|please open imap|please open smtp"
        ),
    ),
    ("account_off", Cause.ACCOUNT_DISABLED, "已被禁用|被禁用|被冻结|已冻结|被锁定|已停用|已过期停用"),
    ("unavailable", Cause.SERVER_UNAVAILABLE, "系统繁忙|服务不可用|服务器繁忙|系统维护|系统错误"),
)

EUROPE: Final[tuple[Rule, ...]] = rules(
    "webmail",
    "help pages of the providers named in the rule",
    (
        "nemesis_refused",
        Cause.IP_BLOCKED,
        "no smtp service|channel 421 reject due to policy",
        "early",
    ),
    ("brevo_not_active", Cause.ACCOUNT_DISABLED, "activate your transactional account|transactional account is not"),
    ("mailu_rate", Cause.RATE_LIMITED, "temporary authentication failure rate limit"),
    ("barracuda_abuse", Cause.SENDING_BLOCKED, "cuda nsu"),
    ("zoho_unusual_activity", Cause.SENDING_BLOCKED, "unusual sending activity detected"),
    ("zoho_policy", Cause.SENDING_BLOCKED, "mailpolicy violation"),
    ("zoho_relay", Cause.ACCESS_DENIED, "sender is not allowed to relay emails"),
    ("zoho_imap_off", Cause.PROTOCOL_DISABLED, "you are yet to enable imap|enable imap for your account"),
    ("yandex_eula", Cause.WEB_LOGIN_REQUIRED, "please accept eula"),
    (
        "yandex_access_rights",
        Cause.PROTOCOL_DISABLED,
        "this user does not have access rights to this service|access rights to this service|does not have access rights",
    ),
    ("yandex_limit", Cause.SENDING_LIMIT, "message limit exceeded|sender limit exceeded"),
    (
        "mailru_parole",
        Cause.APP_PASSWORD_REQUIRED,
        "neobhodim parol prilozheniya|parol prilozheniya|application password is required",
    ),
    ("orange_refused", Cause.IP_BLOCKED, "ofr006|ofr 506|ofr 104|lpn007 402"),
    ("orange_connections", Cause.CONNECTION_LIMIT, "ofr004 104|too many connections slow down|trop de connexions"),
    ("orange_sender", Cause.ACCESS_DENIED, "emetteur invalide|mail from not owned by user"),
    ("sfr_abuse", Cause.IP_BLOCKED, "abus detecte"),
    ("godaddy_relay_quota", Cause.SENDING_LIMIT, "24 hour sending limit|relay quota|exceeded its 24"),
    ("godaddy_from", Cause.PROTOCOL_ERROR, "as a from address|blank from addresses"),
    ("godaddy_ibsmtp", Cause.MECHANISM_UNSUPPORTED, "authentication not allowed on ibsmtp servers"),
    ("godaddy_spam_ip", Cause.IP_BLOCKED, "this ip has been temporarily blocked"),
    ("cox_bad_commands", Cause.IP_BLOCKED, "too many bad commands from"),
    ("spectrum_aup", Cause.SENDING_BLOCKED, "blocked from sending emails|aup o"),
    ("mailtrap_plan", Cause.SENDING_LIMIT, "email limit is reached"),
    ("mailgun_sandbox", Cause.ACCESS_DENIED, "free accounts are for test purposes only"),
    (
        "sendgrid_identity",
        Cause.ACCESS_DENIED,
        "does not match a verified sender identity|not authorized to send from that email address",
    ),
    (
        "sendgrid_credits",
        Cause.SENDING_LIMIT,
        "maximum credits exceeded|maximum sending rate exceeded daily|daily message quota exceeded|daily sending quota",
    ),
    ("ses_unverified", Cause.ACCESS_DENIED, "email address is not verified|identities failed the check|user name is missing"),
    ("ses_rate", Cause.RATE_LIMITED, "maximum sending rate exceeded"),
    ("mimecast_spoofing", Cause.SENDING_BLOCKED, "anti spoofing policy|anti spoofing lockout"),
    ("purelymail_app", Cause.APP_PASSWORD_REQUIRED, "create an app password"),
)
