from core.privacy import PersonalData, mentioned, without_the_address

PAYMENTS = [
    PersonalData(
        "orders_payment", "Payments whose reason mentions the person", mentioned("t.reason"), "pseudonymise",
        "The address is taken out; that money was paid is bookkeeping.", {"reason": without_the_address("reason")},
    ),
]  # fmt: skip
