"""One outage, one incident: which failures belong together, what they have in common, when it begins and when it is over.

`scopes` names what mailboxes share; `detect` finds the scopes that fail more than they ever do by themselves; `life` opens, grows
and closes incidents from that; `circuit` says how gently a failing place may be looked at, and how its mailboxes come back.  Pure.
"""
