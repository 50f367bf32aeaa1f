"""Invented URL strings: benign pages, phishing pages, and campaigns that a day's rows share.

Every registrable name is built from syllables and belongs to no one that we know of; nothing here
is ever resolved. All draws come from the `random.Random` that is handed in.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

SYLLABLES = [
    "ba", "be", "bo", "bra", "cla", "cor", "da", "del", "dra", "el", "fen", "fi", "gal",
    "gra", "ha", "hol", "in", "jo", "ka", "kel", "la", "lor", "lu", "ma", "mel", "mi", "na",
    "nor", "nu", "ol", "or", "pa", "pel", "qua", "ra", "ren", "ri", "sa", "sol", "ta", "tel",
    "tho", "tri", "ul", "va", "vel", "vi", "wen", "xa", "yor", "za", "zel",
]  # fmt: skip
SLUGS = [
    "winter", "summer", "garden", "review", "guide", "city", "market", "report", "football",
    "recipe", "travel", "kitchen", "history", "music", "science", "market", "school",
    "health", "budget", "mobile", "release", "notes", "update", "camera", "forest", "library",
    "election", "theatre", "museum", "railway", "harbour", "weather", "bicycle", "festival",
    "pottery",
]  # fmt: skip
BAIT = [
    "login", "secure", "account", "verify", "update", "signin", "billing", "support",
    "confirm", "wallet", "service",
]  # fmt: skip
BRANDS = [
    "paypal", "amazon", "netflix", "microsoft", "apple", "dhl", "facebook", "office365",
    "smbc", "rakuten",
]  # fmt: skip
BENIGN_SUFFIXES = {
    "com": 44, "org": 14, "net": 8, "de": 6, "co.uk": 5, "io": 5, "fr": 4, "com.br": 3, "jp": 3,
    "nl": 2, "it": 2, "edu": 2, "gov": 1, "dev": 1, "info": 1, "pl": 1,
}  # fmt: skip
PHISHING_SUFFIXES = {
    "com": 28, "top": 12, "xyz": 11, "cn": 9, "shop": 7, "online": 6, "net": 6, "info": 5, "tk": 5,
    "ru": 4, "club": 4, "org": 3, "com.br": 2, "icu": 2,
}  # fmt: skip
SITE_COUNT = 700
CAMPAIGN_DAYS = 4  # the longest life of a campaign
CAMPAIGN_SHARE = 0.35  # of the phishing rows of a day


@dataclass(frozen=True)
class Campaign:
    """Phishing rows of one maker: same look, same kit, new names."""

    prefix: str
    suffix: str
    scheme: str
    path: str
    weight: float


def seeded(*parts: object) -> Random:
    """Return a generator whose seed is the parts, in this order."""
    return Random(":".join(map(str, parts)))  # noqa: S311  (invented traffic, no secret)


def pick(random: Random, weights: dict[str, int]) -> str:
    """Return one of the names, by weight."""
    return random.choices(list(weights), list(weights.values()))[0]


def invented(random: Random, least: int = 3, most: int = 4) -> str:
    """Return a word of `least` to `most` syllables."""
    return "".join(random.choices(SYLLABLES, k=random.randint(least, most)))


def code(random: Random, length: int) -> str:
    """Return random hex digits."""
    return f"{random.getrandbits(4 * length):0{length}x}"


def sites(random: Random) -> list[str]:
    """Return the benign hosts, most popular first."""
    return [
        ("www." if random.random() < 0.5 else "")
        + (f"{random.choice(SLUGS)}." if random.random() < 0.1 else "")
        + f"{invented(random)}.{pick(random, BENIGN_SUFFIXES)}"
        for _ in range(SITE_COUNT)
    ]


def benign(random: Random, popular: Sequence[str]) -> str:
    """Return a benign URL: mostly of a known site, by Zipf's law, else of a small one."""
    if random.random() < 0.75:
        host = popular[int(len(popular) ** random.random()) - 1]
    else:
        www = "www." if random.random() < 0.4 else ""
        host = f"{www}{invented(random)}.{pick(random, BENIGN_SUFFIXES)}"
    scheme = "http" if random.random() < 0.1 else "https"
    return f"{scheme}://{host}{_benign_path(random)}"


def _benign_path(random: Random) -> str:
    slug = "-".join(random.choices(SLUGS, k=random.randint(2, 6)))
    number = random.randint(1, 99_999)
    kind = random.randrange(20)
    if kind < 4:
        return "/"
    if kind < 8:
        return f"/20{random.randint(10, 24)}/{random.randint(1, 12):02d}/{slug}/"
    if kind < 11:
        return f"/{random.choice(SLUGS)}/{slug}.html"
    if kind < 13:
        return f"/{invented(random, 2, 3)}/{invented(random, 2, 3)}"
    if kind < 15:
        return f"/product/{number}"
    if kind == 15:
        return f"/search?q={random.choice(SLUGS)}+{random.choice(SLUGS)}&page={number % 9}"
    if kind == 16:
        return f"/viewtopic.php?t={number}"
    if kind == 17:
        return f"/files/{slug}.pdf"
    if kind == 18:
        return f"/img/{code(random, 8)}.{random.choice(('png', 'jpg'))}"
    return f"/account/{random.choice(BAIT)}?next=%2F{random.choice(SLUGS)}"


def phishing(random: Random, active: Sequence[Campaign], popular: Sequence[str]) -> str:
    """Return a phishing URL: of an active campaign, of a lone maker, or on a taken-over site."""
    if active and random.random() < CAMPAIGN_SHARE:
        campaign = random.choices(active, [item.weight for item in active])[0]
        host = f"{campaign.prefix}{invented(random)}.{campaign.suffix}"
        return f"{campaign.scheme}://{host}{campaign.path}"
    if random.random() < 0.12:
        return f"https://{random.choice(popular)}/wp-content/{random.choice(BAIT)}/"
    if random.random() < 0.04:
        host = ".".join(("192", "0", "2", str(random.randint(1, 254))))
    else:
        host = f"{_prefix(random)}{invented(random)}.{pick(random, PHISHING_SUFFIXES)}"
    scheme = "http" if random.random() < 0.4 else "https"
    return f"{scheme}://{host}{_phishing_path(random)}"


def _prefix(random: Random) -> str:
    kind = random.randrange(10)
    if kind < 3:
        return ""
    if kind < 5:
        return f"{random.choice(BAIT)}-"
    if kind < 7:
        return f"{random.choice(BRANDS)}.{random.choice(BAIT)}-{code(random, 6)}."
    return f"{random.choice(BRANDS)}-{random.choice(BAIT)}."


def _phishing_path(random: Random) -> str:
    kind = random.randrange(10)
    if kind < 3:
        return random.choice(("", "/"))
    if kind < 5:
        return f"/{random.choice(BAIT)}.php"
    if kind < 7:
        return f"/{code(random, 10)}/{random.choice(BAIT)}/index.html"
    if kind == 7:
        return f"/{random.choice(BAIT)}/{random.choice(BRANDS)}/?id={code(random, 16)}"
    if kind == 8:
        return f"/{invented(random, 1, 2)}/{random.choice(BAIT)}.html"
    return f"/{'-'.join(random.choices(SLUGS, k=3))}/"


def campaigns(seed: int, day: int) -> list[Campaign]:
    """Return the campaigns that are active on a day: each begins on a day and lives a few.

    Examples
    --------
    >>> campaigns(1, 40) == campaigns(1, 40)
    True
    """
    active = []
    for begun in range(day - CAMPAIGN_DAYS + 1, day + 1):
        random = seeded(seed, "campaigns", begun)
        for _ in range(3):
            campaign = Campaign(
                _prefix(random),
                pick(random, PHISHING_SUFFIXES),
                "http" if random.random() < 0.4 else "https",
                _phishing_path(random),
                random.uniform(0.5, 1.5),
            )
            if begun + random.randint(1, CAMPAIGN_DAYS) > day:
                active.append(campaign)
    return active
