"""The words servers use, mapped to what they mean: the English half of the lexicon, and the names of the meanings.

A *meaning* is one idea (PASSWORD, EXPIRED, NOT …); `meanings` decides causes from combinations of them, so that a wording never
seen before is still understood when its words are known.  A word ending in `*` stands for everything that begins with it; words
joined by `_` must follow one another.  Everything is compared in lower case and without accents.
"""

from collections.abc import Mapping
from typing import Final

from mailwatch.core.signatures.lexicon_servers import SERVERS
from mailwatch.core.signatures.lexicon_states import STATES

_PEOPLE: Final[Mapping[str, str]] = {
    # who and what
    "PASSWORD": "password passwords passwd pass passphrase passcode pwd secret pin pass-word password_is userpassword pass-phrase",
    "USER": "user users username usernames userid userpart mailuser login_name user_name subscriber member employee localpart"
    " unknownuser nosuchuser badusername mail_user recipient_name accountname login_id loginid user-name user_id log-in_name"
    " userstatus user_status",
    "ACCOUNT": "apple_id account accounts acct accountdisabled tenant principal identity subscription customer organization"
    " organisation org customer's login_account mail_account email_account user_account your_service",
    "MAILBOX": "mailbox mailboxes inbox maildir mailnickname mailstore maildrop maildirs",
    "FOLDER": "folder folders namespace hierarchy archive",
    "CREDENTIAL": "credential credentials creds userpass badcredentials",
    "LOGIN": "login logins logon logons logged log_in log_on sign_in signin signins sign_ins logging_in signed_in log-in sign-in"
    " log-on logging_on login-attempt log_you_in sign_you_in log-ins logon_attempt logged-in re-login relogin signing_in"
    " signing-in logging-in",
    "AUTH": "auth authentication authentications authenticate authenticated authenticating authenticator authorization"
    " authorisation authorize sasl authn authcid smtpauth authenticationfailed re-authenticate reauthenticate authenticates"
    " smtp-auth auth_data authenticity auth'd authenticated_user",
    "UNAUTHENTICATED": "unauthenticated anonymous",
    "TOKEN": "token tokens bearer jwt accesstoken access_token",
    "REFRESHTOKEN": "refresh_token refreshtoken grant grants authorization_code",
    "SECRET_OF_APP": "client_secret client_id clientid client_credentials client_assertion",
    "CLIENTAPP": "client application app",
    "CERT": "certificate certificates cert certs x509 pkix commonname common_name subject_name",
    "TLS": "tls ssl starttls encryption encrypted encrypt unencrypted cleartext plaintext clear_text plain_text tlsv1 sslv3 stls"
    " privacy layer secure insecure non-secure unsecure unsecured secured transport_layer_security secure_sockets ssl-encrypted"
    " tls-encrypted encrypted_connection secure_connection secured_connection encrypted_channel securely stunnel smtps_only"
    " ssl_enabled",
    "HANDSHAKE": "handshake negotiation negotiate cipher ciphers negotiating gnutls openssl schannel sspi rustls"
    " common_algorithm version versions suite suites",
    "OAUTH": "oauth oauth2 xoauth2 xoauth oauthbearer modern_auth* openid",
    "APPSPECIFIC": "application-specific app-specific application_specific app_specific app_password app_passwords app_passcode"
    " application_password application_passwords device_password third-party_password external_password authorization_password"
    " apppassword authorized_code authorization_codes client_password mail_password app-password dedicated_password"
    " generated_password external_applications third_party_password apps_password specific_password applications_password"
    " password_for_external password_for_applications app-pass* application-password application_code app-passwords apppasswords"
    " device-specific service-specific service_password client_specific_password authorization_code_instead auth_code"
    " unique_password separate_password special_password their_own_password password_for_mail_clients password_for_mail_apps",
    "MFA": "stronger_authentication_needed stronger_authentication_required stronger_authentication_is step_up mfa 2fa factor"
    " two-factor 2-step multifactor two-step"
    " multi-factor second_factor otp totp one-time_password"
    " one-time_code one_time_password two_step another_step additional_step conditional_access interaction_required"
    " strong_authentication interactionrequired twofactor two_factor multi_factor one-time 2-factor 2sv 2-sv two-stage"
    " second-factor passkey security_key verification_code authentication_code totp_code otp_code login_code security_code"
    " additional_authentication step-up additional_verification",
    "BROWSER": "browser webmail web_interface web_browser web_login web_site website webpage web_page portal control_panel"
    " web_mail web_client visit_https via_web online signin_page web_page_to our_website our_site the_website the_site"
    " via_the_web account_page customer_area customer_center my_account user_panel web-based log_in_online"
    " webmail_interface webinterface user_portal web_ui webui web_app webapp dashboard web_console admin_console"
    " web_panel admin_panel web_admin on_the_web the_web_first web_gui admin_ui",
    "VERIFY": "security_check identity_check verify verification verified confirm confirmation validate confirmed reverify"
    " unverified confirming verifying"
    " reconfirm activation_link confirmation_mail confirmation_email confirmation_link",
    "CAPTCHA": "captcha captchas challenge unlock unlockcaptcha",
    "TERMS": "terms eula agreement tos licence_agreement license_agreement privacy_policy user_agreement conditions_of_use"
    " terms_and_conditions",
    "ACCEPT": "accept agree accepted consent",
    "SUSPICIOUS": "suspicious unusual suspected compromised hijacked hacked breached abnormal anomalous unrecognized_device"
    " leaked irregular unrecognised_device",
    "ACTIVITY": "activity attempt_was behaviour behavior",
    "IP": "ip ips ipaddress ip-address ipv4 ipv6 network_address address_range subnet netblock this_network your_network"
    " your_isp your_subnet remote_address client_address source_address sending_ip originating_ip peer_address vpn tor"
    " company_network corporate_network internal_network trusted_network office_network intranet hosting_network hosting_networks"
    " hosting_range hosting_ranges datacenter data_center datacentre cloud_networks network_range company_lan",
    "HOST": "host hosts hostname client_host client_address helo ehlo peer rdns ptr mta dynamic residential smtp_client"
    " connecting_host remote_host sending_server sending_host sender's_host mail_server_host hosting_provider"
    " hosting_providers cloud_provider cloud_providers your_mailserver your_mail_server your_server your_host"
    " this_host_is",
    "REVERSE": "reverse ptr rdns reverse_dns reverse-dns forward-confirmed fcrdns hostname_lookup pointer_record"
    " generic_hostname no_rdns no_ptr ptr-record dns_ptr must_resolve",
    "COUNTRY": "country countries geo geoip geographical region location geolocation geographic this_location your_location"
    " outside_of abroad geo-ip geo-blocked geoblocked geo_blocking geofence foreign",
    "DOMAIN": "domain domains",
}

#: Who and what here; states, measures and refusals, servers and protocols in the parts.
ENGLISH: Final[Mapping[str, str]] = {**_PEOPLE, **STATES, **SERVERS}
