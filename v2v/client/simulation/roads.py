"""The roads of the demo: main roads of Dubai as lines through well-known places, for trucks to look at home on.

Not a map: lines are a few hundred meters off in places. Degrees WGS 84, (latitude, longitude), all of them on land.
"""

from typing import NamedTuple

Point = tuple[float, float]


class Road(NamedTuple):
    """A line through named places and the points between them; limit in meters per second."""

    name: str
    limit: float
    line: tuple[str | Point, ...]


HIGHWAY, MAIN, STREET = 22.0, 17.0, 11.0

PLACES: dict[str, Point] = {
    # Sheikh Zayed Road (E11), from the border of Abu Dhabi to that of Sharjah
    "Ghantoot": (24.8560, 54.9050),
    "Jebel Ali Gate": (24.9780, 55.0910),
    "Ibn Battuta": (25.0440, 55.1180),
    "Marina": (25.0770, 55.1470),
    "Barsha": (25.1180, 55.2010),
    "Quoz": (25.1560, 55.2300),
    "Business Bay": (25.1900, 55.2620),
    "Trade Centre": (25.2240, 55.2870),
    "Garhoud": (25.2300, 55.3440),
    "City Centre": (25.2510, 55.3330),
    "Mulla Plaza": (25.2680, 55.3500),
    "Sharjah Road": (25.2920, 55.3720),
    # Al Khail Road (E44) and on to Hatta
    "Khail South": (25.0330, 55.1600),
    "Khail Hessa": (25.0790, 55.2010),
    "Khail Quoz": (25.1230, 55.2420),
    "Khail Bay": (25.1720, 55.2790),
    "Ras Al Khor": (25.1830, 55.3450),
    "Dragon Mart": (25.1730, 55.4170),
    "Awir": (25.1620, 55.4990),
    "Lahbab": (25.0440, 55.6000),
    "Madam": (24.9650, 55.7780),
    "Hatta": (24.8020, 56.1150),
    # Sheikh Mohammed bin Zayed Road (E311)
    "Maktoum Airport": (24.9100, 55.1350),
    "Investments Park": (24.9870, 55.1740),
    "Motor City": (25.0410, 55.2330),
    "Global Village": (25.0750, 55.3040),
    "Silicon Oasis": (25.1210, 55.3680),
    "Mirdif": (25.2160, 55.4270),
    "Muhaisnah": (25.2560, 55.4260),
    "University City": (25.2960, 55.4640),
    # Emirates Road (E611)
    "Dubai South": (24.8760, 55.1710),
    "Emirates Park": (24.9820, 55.2870),
    "Outlet": (25.0650, 55.4080),
    "Emirates North": (25.2650, 55.5280),
    # Dubai - Al Ain road (E66)
    "Oud Metha": (25.2250, 55.3050),
    "Nad Al Sheba": (25.1560, 55.3520),
    "Lisaili": (24.9330, 55.4720),
    "Margham": (24.8750, 55.5640),
    # Where trucks load and unload
    "Jebel Ali Port": (24.9960, 55.0720),
    "Jebel Ali Yard": (24.9700, 55.0600),
    "Marina Walk": (25.0740, 55.1395),
    "Quoz Depot": (25.1340, 55.2290),
    "Quoz Market": (25.1430, 55.2420),
    "Deira": (25.2640, 55.3220),
    "Cargo Village": (25.2420, 55.3720),
    "Fruit Market": (25.1700, 55.3690),
    "Logistics City": (24.8830, 55.1320),
    "Park Depot": (24.9960, 55.1580),
}

ROADS: tuple[Road, ...] = (
    Road(
        "E11",
        HIGHWAY,
        (
            "Ghantoot",
            (24.8990, 54.9720),
            (24.9410, 55.0370),
            "Jebel Ali Gate",
            (25.0110, 55.1040),
            "Ibn Battuta",
            (25.0590, 55.1290),
            "Marina",
            (25.0910, 55.1630),
            (25.1030, 55.1790),
            "Barsha",
            (25.1340, 55.2140),
            "Quoz",
            (25.1720, 55.2440),
            "Business Bay",
            (25.2070, 55.2750),
            "Trade Centre",
            (25.2300, 55.2970),
            "Oud Metha",
            (25.2270, 55.3260),
            "Garhoud",
            (25.2400, 55.3410),
            "City Centre",
            (25.2590, 55.3400),
            "Mulla Plaza",
            (25.2800, 55.3610),
            "Sharjah Road",
        ),
    ),
    Road(
        "E44",
        HIGHWAY,
        (
            "Ibn Battuta",
            (25.0350, 55.1400),
            "Khail South",
            (25.0530, 55.1820),
            "Khail Hessa",
            (25.1010, 55.2240),
            "Khail Quoz",
            (25.1490, 55.2610),
            "Khail Bay",
            (25.1810, 55.3050),
            "Ras Al Khor",
            (25.1760, 55.3830),
            "Dragon Mart",
            (25.1700, 55.4560),
            "Awir",
            (25.1230, 55.5380),
            (25.0800, 55.5720),
            "Lahbab",
            (25.0100, 55.6850),
            "Madam",
            (24.9020, 55.8800),
            (24.8420, 56.0200),
            "Hatta",
        ),
    ),
    Road(
        "E311",
        HIGHWAY,
        (
            "Ghantoot",
            (24.8730, 54.9960),
            (24.8920, 55.0750),
            "Maktoum Airport",
            (24.9470, 55.1530),
            "Investments Park",
            (25.0130, 55.2000),
            "Motor City",
            (25.0600, 55.2680),
            "Global Village",
            (25.0970, 55.3390),
            "Silicon Oasis",
            (25.1450, 55.3970),
            "Dragon Mart",
            (25.1960, 55.4260),
            "Mirdif",
            (25.2370, 55.4240),
            "Muhaisnah",
            (25.2760, 55.4420),
            "University City",
        ),
    ),
    Road(
        "E611",
        HIGHWAY,
        (
            "Ghantoot",
            (24.8590, 55.0400),
            (24.8640, 55.1060),
            "Dubai South",
            (24.9240, 55.2260),
            "Emirates Park",
            (25.0220, 55.3500),
            "Outlet",
            (25.1130, 55.4570),
            "Awir",
            (25.2130, 55.5140),
            "Emirates North",
            (25.2900, 55.5020),
            "University City",
        ),
    ),
    Road(
        "E66",
        HIGHWAY,
        (
            "Oud Metha",
            (25.1950, 55.3220),
            "Ras Al Khor",
            "Nad Al Sheba",
            "Silicon Oasis",
            (25.0930, 55.3870),
            "Outlet",
            (25.0000, 55.4390),
            "Lisaili",
            "Margham",
        ),
    ),
    Road("Hessa Street", MAIN, ("Barsha", (25.1000, 55.1900), "Khail Hessa", (25.0580, 55.2190), "Motor City")),
    Road("Umm Suqeim Street", MAIN, ("Barsha", (25.1110, 55.2160), "Khail Quoz", (25.0900, 55.2620), "Global Village")),
    Road("Maktoum Airport Street", MAIN, ("Jebel Ali Gate", (24.9540, 55.1120), "Maktoum Airport", "Dubai South")),
    Road("Park Street", MAIN, ("Jebel Ali Gate", (24.9830, 55.1260), "Park Depot", "Investments Park")),
    Road("Airport Road", MAIN, ("Garhoud", (25.2360, 55.3590), "Cargo Village", (25.2290, 55.3920), "Mirdif")),
    Road("Business Bay Crossing", MAIN, ("Business Bay", (25.1820, 55.2730), "Khail Bay")),
    Road(
        "Manama Street", MAIN, ("Ras Al Khor", (25.1740, 55.3560), "Fruit Market", (25.1560, 55.3790), "Silicon Oasis")
    ),
    Road("Port Road", STREET, ("Jebel Ali Gate", (24.9880, 55.0840), "Jebel Ali Port")),
    Road(
        "Yard Road",
        STREET,
        ("Jebel Ali Gate", (24.9720, 55.0770), "Jebel Ali Yard", (24.9830, 55.0600), "Jebel Ali Port"),
    ),
    Road("Marina Street", STREET, ("Marina", (25.0765, 55.1435), "Marina Walk", (25.0690, 55.1370), "Ibn Battuta")),
    Road("Quoz Street", STREET, ("Barsha", (25.1270, 55.2160), "Quoz Depot", (25.1370, 55.2370), "Quoz Market")),
    Road("Quoz Link", STREET, ("Quoz", (25.1510, 55.2370), "Quoz Market", (25.1360, 55.2480), "Khail Quoz")),
    Road("Maktoum Street", STREET, ("City Centre", (25.2560, 55.3270), "Deira", (25.2700, 55.3310), "Mulla Plaza")),
    Road(
        "Logistics Street",
        STREET,
        ("Maktoum Airport", (24.8950, 55.1260), "Logistics City", (24.8750, 55.1480), "Dubai South"),
    ),
)

# Where trucks go, and how much more often than elsewhere.
HUBS: dict[str, float] = {
    "Jebel Ali Port": 6,
    "Jebel Ali Yard": 3,
    "Quoz Depot": 5,
    "Quoz Market": 4,
    "Deira": 5,
    "Cargo Village": 5,
    "Marina Walk": 4,
    "Fruit Market": 3,
    "Logistics City": 3,
    "Park Depot": 3,
    "Dragon Mart": 2,
    "Silicon Oasis": 2,
    "University City": 1,
    "Outlet": 1,
    "Lisaili": 0.4,
    "Hatta": 0.3,
}
