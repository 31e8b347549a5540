from unfold.sites import UnfoldAdminSite


class QuartermasterSite(UnfoldAdminSite):
    pass
