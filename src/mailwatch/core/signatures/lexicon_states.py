"""English words for what became of something, for how much is too much, and for refusals; a part of `lexicon.ENGLISH`."""

from collections.abc import Mapping
from typing import Final

STATES: Final[Mapping[str, str]] = {
    # states and faults
    "EXPIRED": "expired expire expires expiry expiration lapsed stale no_longer_valid outdated timed_out_token overdue has_ended"
    " is_over period_over have_ended ran_out run_out not_renewed too_old aged ended_on unrenewed exp out_of_date",
    "DISABLED": "pending_approval awaiting_approval pending_activation awaiting_activation pending_review under_review disabled"
    " disable deactivated inactive inactivated switched_off turned_off deactivate disabling is_off"
    " not_enabled not_active inaccessible revoked_access not_available_for off disallowed no_longer_enabled deactivation"
    " not_activated disables blocked_off taken_out_of_service administratively_disabled is_disabled unactivated opted_out"
    " userstatus status_abnormal retired deprecated no_longer_possible no_longer_available no_longer_supported no_longer_allowed"
    " no_longer_permitted phased_out sunset withdrawn no_longer_accept no_longer_accepts no_longer_accepted"
    " no_longer_allows no_longer_permits no_longer_supports",
    "LOCKED": "locked lock lockout locked_out suspended suspend suspension frozen freeze barred closed terminated cancelled"
    " canceled deleted removed banned_account deprovisioned unpaid non-payment nonpayment unlicensed overdue_payment restricted"
    " hold on_hold archived dormant quarantined lockedout accountdisabled accountlocked paused locking_out lock-out lockdown"
    " locked-out cancellation deletion decommissioned discontinued unpaid_invoice overdue_invoice not_paid payment_required"
    " past_due delinquent suspends",
    "LICENCE": "unlicensed licence license licensed subscription_expired plan trial pro premium paid upgrade_your tariff",
    "WRONG": "invalid incorrect wrong bad mismatch unrecognized unrecognised erroneous incorrectly do_not_match does_not_match"
    " not_match don't_match doesn't_match not_valid not_correct isn't_valid isn't_correct unmatched errata unknown_or_bad unusable"
    " incorect invald wrongly unacceptable improper inaccurate non-valid nonvalid not_recognized not_recognised"
    " can't_be_verified cannot_be_verified could_not_be_verified failed_verification"
    " seem_right look_right isn't_right not_quite_right untrusted",
    "FAIL": "failed failure failures fail fails unsuccessful unsuccessfully failing could_not unable cannot can't couldn't"
    " can_not rejected reject refused declined not_successful not_accepted logonfailed error unsuccesful unsuccessfull failled"
    " couldnt cant rejecting rejection refusing refusal unabled did_not_succeed not_succeed was_not_successful",
    "NOT": "not no n't never nor without isn't aren't doesn't don't didn't wasn't hasn't none neither nonexistent non-existent"
    " cannot can't won't wouldn't couldn't unable nonexisting dont doesnt didnt isnt cant wont dosn't dosnt doesn't_have ain't"
    " lacks lack missing nobody non insufficient",
    "EXIST": "exist exists existing found existent such available_here known located here_by here nonexistent non-existent"
    " existed exits recognize recognise recognised recognized hosted_here in_use_here valid_here in_our serviced match_any",
    "UNKNOWN": "no_longer_valid no_longer_available no_longer_on no_longer_exists no_longer_accepts unknowns doesn't_have_a"
    " unallocated not_our_customer dead_domain unknown nonexistent non-existent no_such unrouteable unroutable undeliverable"
    " nosuchuser doesnotexist unknownuser notfound no_longer_in_use no_longer_active no_longer_used no_longer_here"
    " no_longer_works not_our not_in_our not_listed_in not_in_the_directory no_mailbox no_folder no_account no_user no_recipient"
    " unrouted"
    " unroutable_address not_routable not_deliverable cannot_deliver no_longer_with not_a_customer not_hosted nosuch"
    " non-existing inexistent not_local so_such folder_missing mailbox_missing user_missing is_missing been_deleted been_removed"
    " was_deleted was_removed isn't_selectable not_selectable noselect of_that_name by_that_name with_that_name of_this_name"
    " by_this_name that_name",
    "ENABLED": "enabled enable active activated activate turned_on switched_on provisioned enabling activating activation"
    " switch_on turn_on opened configured please_open open_smtp open_imap open_the subscribed_to",
    "ALLOWED": "allowed allow allows permitted permit permits authorized authorised permission accepted allowing entitled"
    " may_use not_use cannot_use can't_use eligible authorised_to authorized_to acceptable granted allowed_to welcome",
    "DENIED": "denied deny denies prohibited forbidden refused rejected reject disallowed not_allowed not_permitted"
    " not_authorized not_authorised unauthorized unauthorised declined barred rejects disallow disallows denying unallowed"
    " impermissible not_acceptable not_welcome not_accepted unwelcome can_not_accept cannot_accept won't_accept refuse refuses"
    " refusing does_not_accept doesn't_accept banned rejection rejecting may_not must_not forbids forbid",
    "REQUIRED": "required requires require requiring need needs needed must mandatory necessary first should enforce enforced"
    " have_to only issue expected expects expecting use requiered require_a requred needs_to switch_to please_use please_enable"
    " demands insists must_be obliged supposed compulsory"
    " please_sign_in please_log_in please_login",
    "SUPPORTED": "announce announced announces announcing capability capabilities supported support supports implemented"
    " advertised offered recognized recognised understood support_for_this"
    " configured_to_support supporting capable offer offers advertise advertises provide provides",
    "UNSUPPORTED": "too_weak unsupported unimplemented unrecognized unrecognised not_supported not_implemented unadvertised"
    " unsuported not_known not_understood no_support cannot_use not_offered 0_possible no_possible no_compatible no_common"
    " no_suitable no_usable none_of_the_supported zero_supported incompatible not_offer doesn't_offer does_not_offer not_provide",
    "REVOKED": "revoked revocation invalidated withdrawn consumed already_used been_used redeemed already_redeemed"
    " no_longer_authorized been_cancelled no_longer_authorised",
    "CHANGE": "change changed reset renew update changing set_a_new new_password choose_a_new chang changes reset_your"
    " must_be_reset renewal renewed renewing replaced replace",
    # how much
    "CONNECTION": "connection connections conns connects sockets clients client_connections instances processes"
    " connected_clients sessions imap_connections logged_in_users connexions conn connections_from tcp_connections sessions_per"
    " smtp_sessions thread threads"
    " many_connect many_connects parallel_connects concurrent_connects simultaneous_connects mail_apps email_apps"
    " many_devices many_apps many_programs many_places many_locations many_computers email_programs devices_connected"
    " session_limit session_quota",
    "CONCURRENT": "concurrent concurrently simultaneous simultaneously parallel active_connections at_once at_the_same_time"
    " concurrency another_client multiple_connections already_connected simultaneus already_logged_in_from in_parallel"
    " connections_open already_has",
    "SESSION": "session sessions",
    "MANY": "many much excessive numerous high more_than repeated repeatedly excess to_many",
    "LIMIT": "limit limits limited limitation quota maximum max cap allowance threshold restricted_to upper_limit limiting"
    " ratelimited numbers number_of max_number limitations at_most upto up_to no_more_than allotment only_allowed_to maximums"
    " ceiling limit_of rlimit allowed_number",
    "EXCEED": "exceed exceeds exceeded exceeding reached over_limit over_the over_quota surpassed overlimit maxed exhausted"
    " used_up limitexceeded over_your over_its over_their out_of_allow over_allotment hit_the hit_your have_hit has_hit"
    " no_more_connections no_more_sessions no_further_connections no_further_sessions went_over go_over been_reached overrun"
    " overstepped used_all",
    "RATE": "volume rate rates ratelimit rate-limit ratelimited rate_limited per_second per_minute velocity speed pace"
    " ratelimits rate-limits frequency rate_control queue_quota",
    "FREQUENT": "frequent frequently frequency too_fast quickly too_quick too_often slow_down slowdown rapid rapidly back_off"
    " backoff too_soon_again wait_before too_quickly slow-down slowing too_soon retry_less less_often too_rapid hammering",
    "THROTTLE": "throttle throttled throttling throttlelimit ratelimited rate-limited backpressure greylist* graylist*"
    " grey-list* gray-list* toomanyrequests flood flooding tarpit* grey-listed rate_limiter greylisted throtteling"
    " throttled_back backoff_requested rate-limiting ratelimiting rate_limiting grey_list* gray_list* deferred_by_greylisting",
    "ATTEMPT": "attempt attempts tries requests request logins logons auths retries failures commands errors mistakes"
    " authentications guesses invocations calls trials tried invalid_commands bad_commands failed_commands"
    " unknown_commands auth_attempts retry_count many_times too_many_times",
    "BANDWIDTH": "bandwidth bytes transfer traffic download upload downloads data_transfer mb_per",
    "QUOTA": "quota quotas overquota over-quota storage space mailbox_size capacity disk_space storage_limit disk_quota"
    " mailbox_storage storage_quota mail_quota allocated allocation storage_allocation quota_limit over_its_storage"
    " mailbox_limit",
    "FULL": "full out_of_storage out_of_space no_space no_more_space out_of_disk exhausted overfull no_storage no_space_left_in"
    " no_room no_free_space full_mailbox inbox-full is_over_quota storage_full overstuffed insufficient_quota"
    " insufficient_storage_space not_enough_space not_enough_room no_more_room not_enough_storage insufficient_space"
    " enough_space enough_room",
    "DISK": "disk disc storage filesystem partition volume disks spool file_system file-system tmp",
    "DAILY": "daily day hourly hour hours per_hour per_day days 24-hour 24h today tomorrow month monthly weekly hrs minute"
    " second per_minute per-hour per-day",
    "SENDING": "sending send sends outbound outgoing relay_limit sent submission mailing submit delivering outmail out_mail"
    " outgoing_messages",
    "RECIPIENT": "recipient recipients rcpt rcpts addressee addressees recipient's to_address rcpt_to forward-path receiver"
    " receivers recipient_address",
    "MESSAGE": "message messages mail mails email emails e-mail msg content body attachment letter messages_per outgoing_mail"
    " newsletter mailing",
    "SENDER": "sender from_address from_header mail_from mailfrom envelope_sender return-path reverse-path sender's envelope"
    " originator spoof* send-as sendas header_from from_domain mail-from from-address smtp_from sender_address sender's_address"
    " sending_address send_from sending_from from_your_own",
    "RELAY": "relay relaying relayed relays rcpthosts open_relay relay-access relay-denied third-party_relay gateway_for"
    " open-relay local_domain relays_denied",
    "SIZE": "size large oversized bytes length too_big mb big long bigger larger too_large too_long maximum_size oversize",
    # refusals
    "BLOCKED": "basicauthblocked blocked block blocking banned ban blackholed barred blocks blocked_by temporarily_deferred"
    " temp_banned intrusion_prevention bans bann blocking_you firewalled geo-block filtered",
    "BLACKLIST": "blacklist blacklisted blocklist blocklisted denylist dnsbl rbl rbls spamhaus sorbs spamcop barracuda"
    " barracudacentral block_list zen surbl uceprotect blacklists blacklis* block-list sbl xbl pbl cbl black_list"
    " denylisted abuseat senderbase invaluement mailspike psbl nixspam fail2ban blocklists listed_in listed_by"
    " listed_at dnsblock black_ip blackisted greyhound brute_force brute-force bruteforce intrusion bl_hit"
    " on_our_block our_block ip-blocklist realtime_block rbl_deny denylists ubl uribl dbl sbl-xbl listed_on"
    " list_of_blocked hostkarma backscatterer address_deferred ip_deferred abuse_go black_listed block_listed"
    " blocked_using in_the_spamhaus",
    "WHITELIST": "whitelist whitelisted allowlist allowlisted allow_list white_list",
    "REPUTATION": "reputation senderscore sender_score bad_reputation poor_reputation senderbase_score talos trust_score cloudmark",
    "SPAM": "message_is_unwanted mail_is_unwanted email_is_unwanted unwanted_mail unwanted_email unwanted_message"
    " bounce_attacks attacks spam spammy spamming spammer unsolicited junk bulk uce ube phishing phish malicious abuse"
    " abusive abused malware fraud fraudulent spammers scam spamassassin rspamd spam-like spamlike honeypot"
    " blacklisted_url unsollicited trashmail spam-filter antispam anti-spam spammers' junkmail backscatter complaints"
    " complaint spams",
    "VIRUS": "virus viruses infected trojan malware eicar worm executable clamav dangerous antivirus anti-virus infection"
    " malicious_software",
    "DMARC": "dmarc spf dkim arc bimi unauthenticated_email sender_policy_framework spoofing spoofed anti-spoofing align"
    " aligned alignment unaligned misaligned misalignment",
    "POLICY": "policy policies administratively prohibited rules aup acceptable_use local_policy terms_of_service"
    " security_reasons administrative prohibition guidelines usage_policy code_of_conduct",
    "CONTENT": "content message_content subject attachment attachments file url link header headers body file_type filetype"
    " extension urls links",
}
