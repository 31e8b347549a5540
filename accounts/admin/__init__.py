from accounts.admin import audit as audit
from accounts.admin import documents as documents
from accounts.admin import governance as governance
from accounts.admin import partners as partners
from accounts.admin import roles as roles
from accounts.admin import tenancy as tenancy
