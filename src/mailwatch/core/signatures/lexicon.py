"""The words servers use, mapped to what they mean: the English half of the lexicon, and the names of the meanings.

A *meaning* is one idea (PASSWORD, EXPIRED, NOT …); `meanings` decides causes from combinations of them, so that a wording never
seen before is still understood when its words are known.  A word ending in `*` stands for everything that begins with it; words
joined by `_` must follow one another.  Everything is compared in lower case and without accents.
"""

from collections.abc import Mapping
from typing import Final

ENGLISH: Final[Mapping[str, str]] = {
    # who and what
    "PASSWORD": "password passwords passwd pass passphrase passcode pwd secret pin",
    "USER": "user users username usernames userid uid userpart mailuser login_name user_name subscriber member employee localpart"
    " unknownuser nosuchuser badusername",
    "ACCOUNT": "apple_id account accounts acct accountdisabled tenant principal identity subscription customer organization"
    " organisation org",
    "MAILBOX": "mailbox mailboxes inbox maildir mailnickname mailstore maildrop maildirs",
    "FOLDER": "folder folders namespace hierarchy",
    "CREDENTIAL": "credential credentials creds userpass badcredentials",
    "LOGIN": "login logins logon logons logged log_in log_on sign_in signin signins sign_ins logging_in signed_in log-in sign-in",
    "AUTH": "auth authentication authentications authenticate authenticated authenticating authenticator authorization"
    " authorisation"
    " authorize sasl authn authcid smtpauth authenticationfailed",
    "UNAUTHENTICATED": "unauthenticated anonymous",
    "TOKEN": "token tokens bearer jwt accesstoken access_token",
    "REFRESHTOKEN": "refresh_token refreshtoken grant grants authorization_code",
    "SECRET_OF_APP": "client_secret client_id clientid client_credentials client_assertion",
    "CLIENTAPP": "client application app",
    "CERT": "certificate certificates cert certs x509 pkix",
    "TLS": "tls ssl starttls encryption encrypted encrypt unencrypted cleartext plaintext clear_text plain_text tlsv1 sslv3 stls"
    " privacy layer secure insecure non-secure unsecure unsecured secured",
    "HANDSHAKE": "handshake negotiation negotiate cipher ciphers negotiating",
    "OAUTH": "oauth oauth2 xoauth2 xoauth oauthbearer modern_auth* openid",
    "APPSPECIFIC": "application-specific app-specific application_specific app_specific app_password app_passwords app_passcode"
    " application_password application_passwords device_password third-party_password external_password"
    " authorization_password apppassword authorized_code authorization_codes client_password mail_password app-password",
    "MFA": "mfa 2fa factor two-factor 2-step multifactor two-step multi-factor second_factor otp totp one-time_password"
    " one-time_code one_time_password two_step another_step"
    " additional_step conditional_access interaction_required strong_authentication interactionrequired twofactor",
    "BROWSER": "browser webmail web_interface web_browser web_login web_site website webpage web_page portal control_panel web_mail"
    " web_client visit_https via_web online signin_page",
    "VERIFY": "verify verification verified confirm confirmation validate confirmed reverify unverified",
    "CAPTCHA": "captcha captchas challenge unlock unlockcaptcha",
    "TERMS": "terms eula agreement tos licence_agreement license_agreement privacy_policy user_agreement",
    "ACCEPT": "accept agree accepted consent",
    "SUSPICIOUS": "suspicious unusual suspected compromised hijacked hacked breached abnormal anomalous unrecognized_device leaked",
    "ACTIVITY": "activity attempt_was behaviour behavior",
    "IP": "ip ips ipaddress ip-address ipv4 ipv6 network_address address_range subnet netblock",
    "HOST": "host hosts hostname client_host client_address helo ehlo peer rdns ptr mta dynamic residential",
    "REVERSE": "reverse ptr rdns reverse_dns",
    "COUNTRY": "country countries geo geoip geographical region location geolocation geographic",
    "DOMAIN": "domain domains",
    # states and faults
    "EXPIRED": "expired expire expires expiry expiration lapsed stale no_longer_valid outdated timed_out_token overdue",
    "DISABLED": "disabled disable deactivated inactive inactivated switched_off turned_off deactivate disabling is_off not_enabled"
    " not_active inaccessible revoked_access not_available_for off disallowed",
    "LOCKED": "locked lock lockout locked_out suspended suspend suspension frozen freeze barred closed terminated cancelled"
    " canceled"
    " deleted removed banned_account deprovisioned unpaid non-payment nonpayment unlicensed overdue_payment restricted hold on_hold"
    " archived dormant quarantined lockedout accountdisabled accountlocked paused",
    "LICENCE": "unlicensed licence license licensed subscription_expired plan trial",
    "WRONG": "invalid incorrect wrong bad mismatch unrecognized unrecognised erroneous incorrectly do_not_match does_not_match"
    " not_match don't_match doesn't_match not_valid not_correct isn't_valid isn't_correct unmatched errata",
    "FAIL": "failed failure failures fail fails unsuccessful unsuccessfully failing could_not unable cannot can't couldn't can_not"
    " rejected reject refused declined not_successful not_accepted logonfailed error",
    "NOT": "not no n't never nor without isn't aren't doesn't don't didn't wasn't hasn't none neither nonexistent non-existent"
    " cannot"
    " can't won't wouldn't couldn't unable nonexisting",
    "EXIST": "exist exists existing found existent such available_here known located here_by here nonexistent non-existent existed",
    "UNKNOWN": "no_longer_valid no_longer_available no_longer_on no_longer_exists no_longer_accepts unknowns doesn't_have_a"
    " unallocated not_our_customer"
    " dead_domain unknown nonexistent non-existent no_such unrouteable unroutable undeliverable nosuchuser doesnotexist unknownuser"
    " notfound",
    "ENABLED": "enabled enable active activated activate turned_on switched_on provisioned",
    "ALLOWED": "allowed allow allows permitted permit permits authorized authorised permission accepted allowing entitled eligible",
    "DENIED": "denied deny denies prohibited forbidden refused rejected reject disallowed not_allowed not_permitted not_authorized"
    " not_authorised unauthorized unauthorised declined barred rejects",
    "REQUIRED": "required requires require requiring need needs needed must mandatory necessary first should enforce enforced"
    " have_to"
    " only issue expected expects expecting use",
    "SUPPORTED": "supported support supports implemented advertised offered recognized recognised understood",
    "UNSUPPORTED": "too_weak unsupported unimplemented unrecognized unrecognised not_supported not_implemented unadvertised",
    "REVOKED": "revoked revocation invalidated withdrawn consumed",
    "CHANGE": "change changed reset renew update changing set_a_new new_password",
    # how much
    "CONNECTION": "connection connections conns connects sockets clients client_connections instances processes connected_clients"
    " sessions imap_connections logged_in_users",
    "CONCURRENT": "concurrent concurrently simultaneous simultaneously parallel open active_connections at_once at_the_same_time",
    "SESSION": "session sessions",
    "MANY": "many much excessive numerous high",
    "LIMIT": "limit limits limited limitation quota maximum max cap allowance threshold restricted_to upper_limit limiting"
    " ratelimited",
    "EXCEED": "exceed exceeds exceeded exceeding reached over_limit over_the over_quota surpassed overlimit maxed exhausted used_up"
    " limitexceeded",
    "RATE": "volume rate rates ratelimit rate-limit ratelimited rate_limited per_second per_minute velocity speed pace ratelimits",
    "FREQUENT": "frequent frequently frequency too_fast quickly too_quick too_often slow_down slowdown rapid rapidly back_off"
    " backoff"
    " too_soon_again wait_before",
    "THROTTLE": "throttle throttled throttling throttlelimit ratelimited rate-limited backpressure greylist* graylist* grey-list*"
    " gray-list* toomanyrequests flood flooding tarpit* grey-listed rate_limiter greylisted",
    "ATTEMPT": "attempt attempts tries requests request logins logons auths retries failures commands errors mistakes"
    " authentications guesses invocations calls",
    "BANDWIDTH": "bandwidth bytes transfer traffic download upload downloads",
    "QUOTA": "quota quotas overquota over-quota storage space mailbox_size capacity disk_space storage_limit",
    "FULL": "full out_of_storage out_of_space no_space no_more_space out_of_disk exhausted overfull no_storage",
    "DISK": "disk disc storage filesystem partition volume",
    "DAILY": "daily day hourly hour hours per_hour per_day days 24-hour 24h today tomorrow month monthly weekly hrs minute second"
    " per_minute per-hour per-day",
    "SENDING": "sending send sends outbound outgoing relay_limit sent submission mailing submit delivering",
    "RECIPIENT": "recipient recipients rcpt rcpts addressee addressees recipient's to_address",
    "MESSAGE": "message messages mail mails email emails e-mail msg content body attachment letter",
    "SENDER": "sender from_address from_header mail_from mailfrom envelope_sender return-path reverse-path sender's envelope"
    " from: originator spoof* send-as sendas header_from from_domain",
    "RELAY": "relay relaying relayed relays rcpthosts open_relay relay-access",
    "SIZE": "size large oversized bytes length too_big mb big long",
    # refusals
    "BLOCKED": "basicauthblocked blocked block blocking banned ban blackholed barred blocks blocked_by rejected"
    " temporarily_deferred temp_banned",
    "BLACKLIST": "blacklist blacklisted blocklist blocklisted denylist dnsbl rbl rbls spamhaus sorbs spamcop barracuda"
    " barracudacentral"
    " block_list zen surbl uceprotect blacklists blacklis* block-list sbl xbl pbl cbl black_list denylisted abuseat senderbase"
    " invaluement mailspike psbl nixspam fail2ban blocklists listed_in listed_by listed_at dnsblock",
    "WHITELIST": "whitelist whitelisted allowlist allowlisted allow_list white_list",
    "REPUTATION": "reputation senderscore sender_score",
    "SPAM": "bounce_attacks attacks spam spammy spamming spammer unsolicited junk bulk uce ube phishing phish malicious abuse"
    " abusive abused malware fraud"
    " fraudulent spammers scam spamassassin rspamd spam-like spamlike honeypot blacklisted_url",
    "VIRUS": "virus viruses infected trojan malware eicar worm executable clamav dangerous",
    "DMARC": "dmarc spf dkim arc bimi unauthenticated_email sender_policy_framework spoofing spoofed anti-spoofing",
    "POLICY": "policy policies administratively prohibited rules aup acceptable_use local_policy terms_of_service",
    "CONTENT": "content message_content subject attachment attachments file url link header headers body",
    # the server's own troubles
    "TEMPORARY": "temporary temporarily transient temporal temporally tempfail temp momentarily momentary intermittent temporaily"
    " currently presently at_this_time at_the_moment right_now for_now short_while",
    "LATER": "later try_again retry try_later again shortly minutes please_wait come_back reconnect wait soon moment",
    "UNAVAILABLE": "unavailable not_available unreachable not_reachable down offline not_responding unresponsive unavail"
    " outage no_servers"
    " not_responded serverunavailable out_of_service not_running not_ready lost_connection not_reach unaccessible",
    "MAINTENANCE": "maintenance maintenances upgrading being_upgraded being_migrated being_moved moved_to undergoing",
    "BUSY": "busy overload overloaded load congested congestion queue_full capacity_reached resources resource memory inuse in_use"
    " system_load insufficient pressure underpowered",
    "INTERNAL": "internal unexpected exception system local temporary_local backend database mysql sql ldap server_error i/o"
    " io storage"
    " lock locking bug core serverbug processing upstream proxy panic fatal uncaught unhandled generic postgres",
    "ERROR": "error errors problem problems failure fault trouble issue issues failed exception difficulties crash crashed errored"
    " corrupt corrupted corruption inconsistent misconfigured misconfiguration timeout unable",
    "SHUTDOWN": "shutdown shutting going_down restart restarting rebooting terminating stopping going_offline shut_down shuts"
    " restarted reload reloading",
    "SYSTEM": "system server service host machine daemon site node backend gateway proxy engine resources services servers"
    " facility",
    # ends
    "TIMEOUT": "timeout timed timed_out time-out time_out timeouts too_long wait_limit",
    "IDLE": "idle idling inactivity inactive autologout auto-logout auto_logout no_activity",
    "CLOSING": "closing closed close disconnect disconnecting disconnected terminated terminating dropped dropping drop ended"
    " hanging_up hung_up hangup disconnects",
    "LOGOUT": "logout logging_out bye goodbye logged_out signing_off log_out good_bye farewell",
    "DROPPED": "reset lost aborted eof broken dropped broken_pipe interrupted unexpectedly prematurely",
    # the language of protocols
    "SYNTAX": "bare syntax parse parsing malformed unparsable unparseable garbage unexpected_token bogus unterminated garbled"
    " illegal"
    " syntactically misformatted",
    "COMMAND": "command commands verb cmd keyword pipelining",
    "SEQUENCE": "sequence out_of_order out-of-sequence order nested already synchronization synchronisation bad_sequence"
    " wrong_state",
    "ARGUMENT": "argument arguments parameter parameters option options atom literal tag line-feed linefeed base64 line lines"
    " bare characters",
    "PROTOCOL": "protocol rfc rfc822 rfc5321 rfc2821 rfc5322 non-compliant compliant violation",
    "IMAP": "imap imap4 imap4rev1 imap4rev2 imaps",
    "POP": "pop pop3 pop3s",
    "SMTP": "smtp smtps esmtp smtpclientauthentication smtp_auth submission_service mail_client mail_clients third-party_clients",
    "MECHANISM": "mechanism mechanisms method methods auth_type authentication_type auth-type scheme schemes sasl_mechanism"
    " authentication_types type mech cram-md5 digest-md5",
    "BASIC": "basic basicauth basicauthentication legacy less_secure plain_login basic_authentication legacy_auth*"
    " basicauthblocked logondenied-basicauthblocked password_authentication plain_password password_based password-based"
    " password_login password_logins simple_authentication",
    "PERMISSION": "permission permissions rights right privilege privileges acl acls entitled entitlement noperm role impersonate"
    " delegate access",
    "OWNED": "owned owner own belong belongs belonging match matches registered verified same equal on_behalf onbehalf",
    "ACCESS": "access accessing",
    "FEATURE": "feature available only_available service this_service function",
    "ALIAS": "alias aliases address addresses @",
}
