"""The few pages that the provider has. Each says that it is no real one."""
import base64
import hashlib
from html import escape

from .people import PEOPLE

STYLE = """
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
main { max-width: 32rem; margin: 10vh auto; padding: 0 1rem; }
button { display: block; width: 100%; margin: .75rem 0; padding: .75rem 1rem; font: inherit; text-align: left; }
small { display: block; }
"""
STYLE_HASH = "sha256-" + base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
PLAINLY = (
    "This is the login of rescind's demo. It has no passwords: whoever can open this page can be any of its people. "
    "Nothing real is behind it."
)


def choice(waiting: str) -> str:
    buttons = "".join(
        f'<button name="person" value="{escape(person.subject)}"><strong>{escape(person.name)}</strong>, '
        f"{escape(person.role)}<small>{escape(person.may)}</small></button>"
        for person in PEOPLE.values()
    )
    return _page("Who are you?", f"<p>{PLAINLY}</p>{_form('/choose', waiting, buttons)}")


def confirm_logout(waiting: str) -> str:
    button = "<button>Log out of the demo's login</button>"
    return _page("Log out?", f"<p>{PLAINLY}</p>{_form('/log-out', waiting, button)}")


def refused(text: str) -> str:
    return _page("Refused", f"<p>{escape(text)}</p><p>{PLAINLY}</p>")


def home(client: str) -> str:
    return _page("The login of rescind's demo", f'<p>{PLAINLY}</p><p><a href="{escape(client)}">To the console</a></p>')


def _form(action: str, waiting: str, content: str) -> str:
    hidden = f'<input type="hidden" name="waiting" value="{escape(waiting)}">'
    return f'<form method="post" action="{action}">{hidden}{content}</form>'


def _page(title: str, content: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>"
        f"<body><main><h1>{escape(title)}</h1>{content}</main></body></html>"
    )
