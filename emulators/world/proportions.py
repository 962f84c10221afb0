"""How much of what real CRMs suffer from is planted. Shares are of the companies in the world unless said otherwise.

The comments give the count in a world of the default size.
"""

from __future__ import annotations

WORLD_SIZE = 2_250  # distinct companies; the shipped file holds some more that nobody has met yet
SMALLEST_WORLD = 300  # below this the planted cases would not find room beside each other

# Who is known where
SHADOW_SHARE = 0.0111  # 25 pay us and are in no CRM at all
SALESFORCE_SHARE = 0.758  # 1,705 companies in Salesforce; its duplicates come on top
BOTH_CRMS_SHARE = 0.347  # 780 in Salesforce and in HubSpot; every other company is in HubSpot alone
SUBSIDIARY_SHARE = 0.0267  # 60 with a parent account
DUPLICATE_SHARE = 0.02  # 45 entered a second time in Salesforce
CONFLICTING_DUPLICATES = 1 / 3  # of the duplicates: two active reps each believe they own the company

# How the HubSpot company of a Salesforce account can be recognised, as shares of those in both
CROSSWALK_SHARE = 0.5  # carries the Salesforce id
NO_DOMAIN_SHARE = 0.1  # neither id nor domain: only name and place are left
NAME_VARIANT_SHARE = 0.3  # "Inc." here, "Incorporated" there
WEBSITE_VARIANT_SHARE = 0.25  # a path, a sub-domain, capitals

# Who owns them
UNASSIGNED_SHARE = 0.12  # 270, countries without a team among them
DEPARTED_SHARE = 0.09  # 203 still shown as owned by a rep who left
MISPLACED_SHARE = 0.04  # 90 with an active rep of another team
OTHER_OWNER_SHARE = 0.06  # of those in both: HubSpot shows another active rep than Salesforce

# What is missing or special
NO_COUNTRY_SHARE = 0.04  # 90
DO_NOT_ROUTE_SHARE = 0.02  # 45: legal hold, competitor, partner's account
COUNTRY_CODE_SHARE = 0.12  # of Salesforce accounts: "US" rather than "United States"
COUNTRY_VARIANT_SHARE = 0.08  # of Salesforce accounts: "USA", "Deutschland"
STATE_NAME_SHARE = 0.1  # of Salesforce accounts: "California" rather than "CA"
SEGMENT_SHARE = 0.6  # of CRM records have their segment filled in
EMPLOYEES_SHARE = 0.85  # of CRM records have a head count
PRIMARY_CONTACT_SHARE = 0.7  # of CRM records name a contact

# Who came in by themselves, as shares of the inbound people
INBOUND_SHARE = 0.1334  # of companies: 300 people
INBOUND_BOTH_SHARE = 0.2  # 60 are in both CRMs under one address
INBOUND_HUBSPOT_SHARE = 0.35  # 105 in HubSpot alone, the others in Salesforce alone
INBOUND_BY_NAME_SHARE = 0.18  # 54 wrote from a free-mail address and only typed their company's name
INBOUND_UNKNOWN_SHARE = 0.17  # 51 work for a company that is in no CRM
INBOUND_NO_COMPANY_SHARE = 0.12  # 36 say nothing of a company
SUBDOMAIN_SHARE = 0.1  # of those recognisable by their mail domain: "eu." stands before it
INBOUND_UNASSIGNED_SHARE = 0.4  # 120 were given to nobody
INBOUND_DEPARTED_SHARE = 0.08  # 24 are with a rep who left
INBOUND_OWNER_OF_COMPANY_SHARE = 0.4  # of those whose company has an owner who is here: with that owner
CONVERTED_SHARE = 0.12  # of those in Salesforce whose company is there too: made part of its account
OPTED_OUT_SHARE = 0.08  # 24 want no e-mail
LEGAL_BASIS_SHARE = 0.6  # of contacts: it is known why they may be written to
LEAD_NO_COUNTRY_SHARE = 0.1
LEAD_EMPLOYEES_SHARE = 0.4
CUSTOMER_CONTACTS_SHARE = 0.027  # of companies: 61 contacts who are people of customers

# Billing and usage
PAYING_SHARE = 0.22  # 495 of the companies in a CRM pay, besides the shadow ones
STRIPE_KNOWS_SALESFORCE_SHARE = 0.6  # of payers in Salesforce: the customer carries the account's id
CRM_KNOWS_STRIPE_SHARE = 0.2  # of payers: the CRM record carries the customer's id
USAGE_BY_STRIPE_SHARE = 0.098  # 220 workspaces carry their Stripe customer
USAGE_BY_EMAIL_SHARE = 0.049  # 110 workspaces can be recognised by their owner's address alone
USAGE_FREE_MAIL_SHARE = 0.024  # 54 workspaces were opened with a free-mail address
USAGE_SHADOW_SHARE = 0.0067  # 15 workspaces of companies in no CRM


def count(share: float, of: int) -> int:
    """How many a share makes; at least one, so that every planted case exists in a small world too."""
    return max(1, round(share * of))
