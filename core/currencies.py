"""Which three letters are a currency."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.utils.deconstruct import deconstructible

# ISO 4217, list one (currencies and funds) as of January 2026, without what is no money: metals, bond units, drawing rights,
# the codes for tests and for no currency.
IN_USE = """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CLF CLP
    CNY COP COU CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS
    INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR
    MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD
    SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD USN UYI UYU UYW UZS VED VES VND VUV WST
    XAD XAF XCD XCG XOF XPF YER ZAR ZMW ZWG
"""
WITHDRAWN_LATELY = "ANG BGN CUC HRK SLL ZWL"  # since 2021: documents of earlier years are still in them

CURRENCIES = frozenset(f"{IN_USE} {WITHDRAWN_LATELY}".split())


@deconstructible
class CurrencyValidator(RegexValidator):
    regex = r"^[A-Z]{3}\Z"
    message = "Three capital letters, by ISO 4217: EUR, USD."

    def __call__(self, value: Any) -> None:
        super().__call__(value)
        if str(value) not in CURRENCIES:
            raise ValidationError(f"{value} is no currency of ISO 4217.", code=self.code)


currency_code = CurrencyValidator()
