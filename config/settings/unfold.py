"""The admin's look. Colors are chosen for contrast: 4.5:1 for text, 3:1 for the edges of what can be used."""

from django.templatetags.static import static

UNFOLD = {
    "SITE_TITLE": "Quartermaster",
    "SITE_HEADER": "Quartermaster",
    "SITE_SYMBOL": "inventory_2",
    "SITE_URL": None,
    "SHOW_VIEW_ON_SITE": False,
    "BORDER_RADIUS": "6px",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("core/favicon.svg")}],
    "STYLES": [lambda request: static("core/admin.css"), lambda request: static("core/clerk.css")],
    "SCRIPTS": [lambda request, name=name: static(f"core/{name}.js") for name in ("scan", "scan_queue", "admin")],
    "LOGIN": {"form": "config.signing_in.SignInForm"},
    "COLORS": {
        "primary": {
            "50": "#eef4ff", "100": "#dbe7fe", "200": "#bfd5fe", "300": "#93b8fd", "400": "#6f9dfa", "500": "#2f6be0",
            "600": "#2157c4", "700": "#1c489f", "800": "#1b3d80", "900": "#1b3667", "950": "#142242",
        },
        "font": {
            "subtle-light": "var(--color-base-600)", "subtle-dark": "var(--color-base-300)",
            "default-light": "var(--color-base-700)", "default-dark": "var(--color-base-200)",
            "important-light": "var(--color-base-900)", "important-dark": "var(--color-base-100)",
        },
    },
}
