from accounts.admin import documents as documents
from accounts.admin import governance as governance
from accounts.admin import invitations as invitations
from accounts.admin import partners as partners
from accounts.admin import roles as roles
from accounts.admin import sessions as sessions
from accounts.admin import tenancy as tenancy
