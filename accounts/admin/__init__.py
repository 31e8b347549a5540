from accounts.admin import annotations as annotations
from accounts.admin import customizing as customizing
from accounts.admin import documents as documents
from accounts.admin import governance as governance
from accounts.admin import partners as partners
from accounts.admin import rates as rates
from accounts.admin import roles as roles
from accounts.admin import tenancy as tenancy
