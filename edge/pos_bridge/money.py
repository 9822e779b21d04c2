"""Money as tills write it, in whole minor units: exact, or refused."""

from __future__ import annotations

import re
from decimal import Decimal

from edge.errors import MessageRejected

__all__ = ["MINOR_DIGITS", "minor_units"]

_OTHERS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
_HUNDREDTHS = (
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CNY "
    "COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR "
    "IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD "
    "NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP "
    "SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG"
)

MINOR_DIGITS = dict.fromkeys(_HUNDREDTHS.split(), 2) | {
    code: digits for digits, codes in _OTHERS.items() for code in codes.split()
}
"""Digits after the decimal point of each currency in use (ISO 4217, list one)."""

_DECIMAL = re.compile(r"[+-]?(?:[0-9]{1,15}(?:\.[0-9]{0,8})?|\.[0-9]{1,8})", re.ASCII)


def minor_units(text: str, *, currency: str) -> int:
    """`text`, an `xs:decimal` with a point and no exponent, in whole minor units of `currency`.

    Raises:
        MessageRejected: `invalid`; it is no such number, holds fractions of a minor unit, or the currency is unknown.
    """
    digits = MINOR_DIGITS.get(currency)
    if digits is None:
        raise MessageRejected("invalid", "an amount in a currency that ISO 4217 does not list")
    number = text.strip(" \t\r\n")
    if _DECIMAL.fullmatch(number) is None:
        raise MessageRejected("invalid", "an amount that is no decimal number")
    minor = Decimal(number).scaleb(digits)
    if minor != minor.to_integral_value():
        raise MessageRejected("invalid", f"an amount finer than {currency} divides")
    return int(minor)
