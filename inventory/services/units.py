"""The usual units of UN/ECE Recommendation 20, which a new organization begins with; it adds what it misses."""

from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from inventory.models import UnitOfMeasure

D = UnitOfMeasure.Dimension

PIECE = "C62"
THOUSAND, MILLION, BILLION = 10**3, 10**6, 10**9


class Usual(NamedTuple):
    """One of these is factor ÷ divisor of the dimension's base unit: by definition, so exactly."""

    name: str
    symbol: str
    dimension: UnitOfMeasure.Dimension
    factor: str = "1"
    divisor: int = 1
    rounding: int = 3


UNITS = {
    PIECE: Usual("Piece", "pc", D.COUNT, rounding=0),
    "PR": Usual("Pair", "pr", D.COUNT, "2", rounding=0),
    "DZN": Usual("Dozen", "dz", D.COUNT, "12"),
    "CEN": Usual("Hundred", "", D.COUNT, "100"),
    "GRO": Usual("Gross", "gr", D.COUNT, "144"),
    "MIL": Usual("Thousand", "", D.COUNT, "1000"),
    "SET": Usual("Set", "", D.NONE, rounding=0),
    "KT": Usual("Kit", "", D.NONE, rounding=0),
    "E48": Usual("Service unit", "", D.NONE),
    "KGM": Usual("Kilogram", "kg", D.MASS),
    "GRM": Usual("Gram", "g", D.MASS, "0.001"),
    "MGM": Usual("Milligram", "mg", D.MASS, "0.000001"),
    "MC": Usual("Microgram", "µg", D.MASS, "1", BILLION),
    "TNE": Usual("Tonne", "t", D.MASS, "1000"),
    "LBR": Usual("Pound", "lb", D.MASS, "453.59237", THOUSAND),
    "ONZ": Usual("Ounce", "oz", D.MASS, "28349.523125", MILLION),
    "APZ": Usual("Troy ounce", "oz t", D.MASS, "31103.4768", MILLION),
    "STN": Usual("Short ton", "ton (US)", D.MASS, "907.18474"),
    "LTN": Usual("Long ton", "ton (UK)", D.MASS, "1016046.9088", THOUSAND),
    "MTR": Usual("Meter", "m", D.LENGTH),
    "CMT": Usual("Centimeter", "cm", D.LENGTH, "0.01"),
    "MMT": Usual("Millimeter", "mm", D.LENGTH, "0.001"),
    "4H": Usual("Micrometer", "µm", D.LENGTH, "0.000001"),
    "KMT": Usual("Kilometer", "km", D.LENGTH, "1000"),
    "INH": Usual("Inch", "in", D.LENGTH, "0.0254"),
    "FOT": Usual("Foot", "ft", D.LENGTH, "0.3048"),
    "YRD": Usual("Yard", "yd", D.LENGTH, "0.9144"),
    "SMI": Usual("Mile", "mi", D.LENGTH, "1609.344"),
    "MTK": Usual("Square meter", "m²", D.AREA),
    "CMK": Usual("Square centimeter", "cm²", D.AREA, "0.0001"),
    "MMK": Usual("Square millimeter", "mm²", D.AREA, "0.000001"),
    "HAR": Usual("Hectare", "ha", D.AREA, "10000"),
    "INK": Usual("Square inch", "in²", D.AREA, "645.16", MILLION),
    "FTK": Usual("Square foot", "ft²", D.AREA, "92.90304", THOUSAND),
    "YDK": Usual("Square yard", "yd²", D.AREA, "836.12736", THOUSAND),
    "ACR": Usual("Acre", "ac", D.AREA, "4046856.4224", THOUSAND),
    "LTR": Usual("Liter", "l", D.VOLUME),
    "MLT": Usual("Milliliter", "ml", D.VOLUME, "0.001"),
    "CLT": Usual("Centiliter", "cl", D.VOLUME, "0.01"),
    "HLT": Usual("Hectoliter", "hl", D.VOLUME, "100"),
    "CMQ": Usual("Cubic centimeter", "cm³", D.VOLUME, "0.001"),
    "MTQ": Usual("Cubic meter", "m³", D.VOLUME, "1000"),
    "INQ": Usual("Cubic inch", "in³", D.VOLUME, "16.387064", THOUSAND),
    "FTQ": Usual("Cubic foot", "ft³", D.VOLUME, "28316.846592", THOUSAND),
    "OZA": Usual("Fluid ounce (US)", "fl oz (US)", D.VOLUME, "29573529.5625", BILLION),
    "OZI": Usual("Fluid ounce (UK)", "fl oz (UK)", D.VOLUME, "28413.0625", MILLION),
    "PTL": Usual("Liquid pint (US)", "pt (US)", D.VOLUME, "473.176473", THOUSAND),
    "QTL": Usual("Liquid quart (US)", "qt (US)", D.VOLUME, "946.352946", THOUSAND),
    "GLL": Usual("Gallon (US)", "gal (US)", D.VOLUME, "3785.411784", THOUSAND),
    "GLI": Usual("Gallon (UK)", "gal (UK)", D.VOLUME, "4.54609"),
    "SEC": Usual("Second", "s", D.TIME),
    "C26": Usual("Millisecond", "ms", D.TIME, "0.001"),
    "MIN": Usual("Minute", "min", D.TIME, "60"),
    "HUR": Usual("Hour", "h", D.TIME, "3600"),
    "DAY": Usual("Day", "d", D.TIME, "86400"),
    "WEE": Usual("Week", "wk", D.TIME, "604800"),
    "AD": Usual("Byte", "B", D.DATA, rounding=0),
    "A99": Usual("Bit", "bit", D.DATA, "0.125", rounding=0),
    "2P": Usual("Kilobyte", "kB", D.DATA, "1000"),
    "4L": Usual("Megabyte", "MB", D.DATA, "1000000"),
    "E34": Usual("Gigabyte", "GB", D.DATA, "1000000000"),
    "E35": Usual("Terabyte", "TB", D.DATA, "1000000000000"),
    "E64": Usual("Kibibyte", "KiB", D.DATA, "1024"),
    "E63": Usual("Mebibyte", "MiB", D.DATA, "1048576"),
    "E62": Usual("Gibibyte", "GiB", D.DATA, "1073741824"),
    "E61": Usual("Tebibyte", "TiB", D.DATA, "1099511627776"),
    "VLT": Usual("Volt", "V", D.VOLTAGE),
    "2Z": Usual("Millivolt", "mV", D.VOLTAGE, "0.001"),
    "KVT": Usual("Kilovolt", "kV", D.VOLTAGE, "1000"),
    "AMP": Usual("Ampere", "A", D.CURRENT),
    "4K": Usual("Milliampere", "mA", D.CURRENT, "0.001"),
    "COU": Usual("Coulomb", "C", D.CHARGE),
    "AMH": Usual("Ampere hour", "Ah", D.CHARGE, "3600"),
    "E09": Usual("Milliampere hour", "mAh", D.CHARGE, "3.6"),
    "WTT": Usual("Watt", "W", D.POWER),
    "KWT": Usual("Kilowatt", "kW", D.POWER, "1000"),
    "HJ": Usual("Metric horsepower", "hp (metric)", D.POWER, "735.49875"),
    "JOU": Usual("Joule", "J", D.ENERGY),
    "KJO": Usual("Kilojoule", "kJ", D.ENERGY, "1000"),
    "WHR": Usual("Watt hour", "Wh", D.ENERGY, "3600"),
    "KWH": Usual("Kilowatt hour", "kWh", D.ENERGY, "3600000"),
    "NEW": Usual("Newton", "N", D.FORCE),
    "B47": Usual("Kilonewton", "kN", D.FORCE, "1000"),
    "NU": Usual("Newton meter", "N·m", D.TORQUE),
    "M92": Usual("Pound-force foot", "lbf·ft", D.TORQUE, "1355817948331.4004", 10**12),
    "PAL": Usual("Pascal", "Pa", D.PRESSURE),
    "KPA": Usual("Kilopascal", "kPa", D.PRESSURE, "1000"),
    "MPA": Usual("Megapascal", "MPa", D.PRESSURE, "1000000"),
    "BAR": Usual("Bar", "bar", D.PRESSURE, "100000"),
    "PS": Usual("Pound-force per square inch", "psi", D.PRESSURE, "44482216152.605", 6_451_600),
    "HTZ": Usual("Hertz", "Hz", D.RATE),
    "KHZ": Usual("Kilohertz", "kHz", D.RATE, "1000"),
    "MHZ": Usual("Megahertz", "MHz", D.RATE, "1000000"),
    "A86": Usual("Gigahertz", "GHz", D.RATE, "1000000000"),
    "RPM": Usual("Revolutions per minute", "r/min", D.RATE, "1", 60),
}


def units_create(codes: Iterable[str] = tuple(UNITS)) -> None:
    """Those that are missing; existing ones stay as they are."""
    UnitOfMeasure.objects.bulk_create([
        UnitOfMeasure(code=code, **{**UNITS[code]._asdict(), "factor": Decimal(UNITS[code].factor)}) for code in codes
    ], ignore_conflicts=True)
