"""A truck of the demo: where it is and how fast, one step of time after another."""

import math
import random
from itertools import accumulate

from v2v.client.simulation.paths import BRAKING, Path, path_between, to_degrees
from v2v.client.simulation.roads import HUBS, Point
from v2v.protocol.commands import VehicleInfo

LONGEST_STEP_S = 1.0
MOST_BRAKING = 2.0  # m/s2; the paths ask for less, but steps are not endlessly small
HURRIED = 0.06  # of the drivers: they drive faster than is allowed, and now and then have to brake hard
HURRIED_HASTE = (1.08, 1.22)
HARD_BRAKING, HARD_BRAKING_S, HARD_BRAKING_EVERY_S, HARD_BRAKING_FROM_MPS = 5.5, (1.5, 2.5), 600.0, 14.0
STOP_S = (10.0, 120.0)
ARRIVED_M = 2.0
_HUB_NAMES = tuple(HUBS)
_HUB_WEIGHTS = tuple(accumulate(HUBS.values()))

_FIRST_NAMES = (
    *("Ahmed", "Ali", "Amina", "Arjun", "Bilal", "Carlos", "Daniel", "Deepak", "Faisal", "Fatima", "Ganesh", "Hamza"),
    *("Hassan", "Imran", "Ivan", "Jose", "Joseph", "Khalid", "Layla", "Mahmoud", "Manoj", "Maria", "Mohammed"),
    *("Nadia", "Naveed", "Omar", "Priya", "Rajesh", "Ramon", "Rashid", "Salim", "Samuel", "Suresh", "Tariq"),
    *("Usman", "Vijay", "Yusuf", "Zainab"),
)
_LAST_NAMES = (
    *("Abbas", "Abdullah", "Ahmad", "Al Farsi", "Al Mansoori", "Bautista", "Cruz", "Das", "Fernandes", "Ghani", "Gill"),
    *("Haddad", "Hussain", "Ibrahim", "Iqbal", "Joshi", "Khan", "Kumar", "Mathew", "Mendoza", "Mirza", "Nair", "Noor"),
    *("Okafor", "Patel", "Pillai", "Qureshi", "Rahman", "Reyes", "Saleh", "Santos", "Sharma", "Singh", "Thomas"),
)
_MODELS = (
    *(("truck", "Mercedes-Benz", "Actros"), ("truck", "Volvo", "FH 500"), ("truck", "MAN", "TGX")),
    *(("truck", "Scania", "R 450"), ("truck", "Isuzu", "NPR"), ("truck", "Hino", "500"), ("tanker", "DAF", "XF")),
    *(("tipper", "Tata", "Prima"), ("reefer", "Mitsubishi Fuso", "Canter")),
    *(("van", "Toyota", "HiAce"), ("van", "Ford", "Transit")),
)
_COLORS = ("white", "white", "white", "silver", "blue", "red", "yellow", "green")
_PLATE_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Gauge:
    """A figure in percent that changes slowly, or is not reported at all (`value` None)."""

    def __init__(self, random_: random.Random, *, reported: float, low: float, per_minute: float) -> None:
        self.value = random_.uniform(low, 100) if random_.random() < reported else None
        self._random = random_
        self._low = low
        self._per_minute = per_minute

    @property
    def rounded(self) -> int | None:
        """In whole percents, as vehicles report it."""
        return None if self.value is None else round(self.value)

    def advance(self, seconds: float) -> None:
        """Let it drift, within its bounds."""
        if self.value is not None:
            drift = self._random.gauss(0, self._per_minute * math.sqrt(seconds / 60))
            self.value = min(100.0, max(self._low, self.value + drift))


class Truck:
    """Drives from hub to hub along the roads, stops there a while, and goes on. The same seed drives the same way.

    `heading` in degrees clockwise from north, `speed` in meters per second.
    """

    def __init__(self, vehicle_id: str, *, seed: int = 0) -> None:
        self._random = random.Random(f"{seed}/{vehicle_id}")  # noqa: S311 - a seed is the point
        self.vehicle_id = vehicle_id
        self.driver_name = f"{self._random.choice(_FIRST_NAMES)} {self._random.choice(_LAST_NAMES)}"
        self.info = self._info()
        self.battery = Gauge(self._random, reported=0.6, low=35, per_minute=0.5)
        self.signal = Gauge(self._random, reported=0.8, low=15, per_minute=6)
        self.speed = 0.0
        self.is_hurried = self._random.random() < HURRIED
        self._haste = self._random.uniform(*(HURRIED_HASTE if self.is_hurried else (0.75, 1.0)))  # of what is allowed
        self._braking_s = 0.0  # for so long still it brakes hard
        self._lane_m = self._random.choice((4.0, 7.5, 11.0)) + self._random.uniform(-0.5, 0.5)
        self._acceleration = self._random.uniform(0.5, 1.1)  # m/s2
        self._hub = self._another_hub()
        self._set_off()
        # Begin on the way, not all at the hubs: a path's end is where the slow part is.
        self._drive_to(self._random.uniform(0, self._path.at[-1]))
        self.speed = self._allowed(self._travelled)
        self._rest_s = 0.0

    @property
    def position(self) -> Point:
        """Degrees, on the right of the road's line."""
        path, i = self._path, self._corner
        length = path.at[i + 1] - path.at[i]
        share = (self._travelled - path.at[i]) / length
        heading = math.radians(path.headings[i])
        lane_m = min(self._lane_m, 0.1 * self._travelled, 0.1 * (path.at[-1] - self._travelled))  # none at the hubs
        x = path.xs[i] + share * (path.xs[i + 1] - path.xs[i]) + lane_m * math.cos(heading)
        y = path.ys[i] + share * (path.ys[i + 1] - path.ys[i]) - lane_m * math.sin(heading)
        return to_degrees(x, y)

    @property
    def heading(self) -> float:
        """Along the road."""
        return self._path.headings[self._corner]

    def advance(self, seconds: float) -> None:
        """Drive on for so many seconds."""
        self.battery.advance(seconds)
        self.signal.advance(seconds)
        while seconds > 0:
            step = min(seconds, LONGEST_STEP_S)
            seconds -= step
            self._step(step)

    def _step(self, seconds: float) -> None:
        if self._rest_s > 0:
            self._rest_s -= seconds
            if self._rest_s <= 0:
                self._set_off()
            return
        if self._brakes_hard(seconds):
            self.speed -= HARD_BRAKING * seconds
            self._drive_to(self._travelled + self.speed * seconds)
            return
        faster = self.speed + self._acceleration * seconds
        ahead = self._travelled + self.speed * seconds
        wanted = min(faster, self._allowed(self._travelled), self._allowed(ahead))
        self.speed = max(wanted, self.speed - MOST_BRAKING * seconds, 0.5)
        self._drive_to(self._travelled + self.speed * seconds)
        if self._path.at[-1] - self._travelled < ARRIVED_M:
            self.speed = 0.0
            self._rest_s = self._random.uniform(*STOP_S)

    def _brakes_hard(self, seconds: float) -> bool:
        """Whether a hurried driver does so at this moment."""
        if self._braking_s > 0:
            self._braking_s -= seconds
        elif self.is_hurried and self.speed > HARD_BRAKING_FROM_MPS and self._is_cut_off(seconds):
            self._braking_s = self._random.uniform(*HARD_BRAKING_S)
        return self._braking_s > 0

    def _is_cut_off(self, seconds: float) -> bool:
        return self._random.random() < seconds / HARD_BRAKING_EVERY_S

    def _allowed(self, travelled: float) -> float:
        """The most speed at a point of the path, so that what comes can still be kept."""
        path, i = self._path, self._corner
        while i < len(path.limits) - 1 and path.at[i + 1] <= travelled:
            i += 1
        left = max(0.0, path.at[i + 1] - travelled)
        return min(path.limits[i], math.sqrt(path.speeds[i + 1] ** 2 + 2 * BRAKING * left)) * self._haste

    def _drive_to(self, travelled: float) -> None:
        path = self._path
        self._travelled = min(travelled, path.at[-1])
        while self._corner < len(path.limits) - 1 and path.at[self._corner + 1] <= self._travelled:
            self._corner += 1

    def _set_off(self) -> None:
        goal = self._another_hub(self._hub)
        self._path: Path = path_between(self._hub, goal)
        self._hub = goal
        self._corner = 0
        self._travelled = 0.0

    def _another_hub(self, but: str = "") -> str:
        while True:
            (hub,) = self._random.choices(_HUB_NAMES, cum_weights=_HUB_WEIGHTS)
            if hub != but:
                return hub

    def _info(self) -> VehicleInfo:
        kind, make, model = self._random.choice(_MODELS)
        plate = f"Dubai {self._random.choice(_PLATE_LETTERS)} {self._random.randrange(10_000, 99_999)}"
        return VehicleInfo(type=kind, plate=plate, make=make, model=model, color=self._random.choice(_COLORS))
