from accounts.admin import documents as documents
from accounts.admin import governance as governance
from accounts.admin import keys as keys
from accounts.admin import partners as partners
from accounts.admin import providers as providers
from accounts.admin import roles as roles
from accounts.admin import tenancy as tenancy
from accounts.admin import traffic as traffic
