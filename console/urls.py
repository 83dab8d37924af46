"""Staff's pages, all under /staff/: the gate keeps that path, so a new one is closed until somebody has signed in."""

from django.contrib.auth.views import LogoutView
from django.urls import path
from django.views.i18n import set_language

from console import views

app_name = "staff"
urlpatterns = [
    path("", views.home, name="home"),
    path("login/", views.Login.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("language/", set_language, name="language"),
    path("password/", views.Password.as_view(), name="password"),
    path("two-factor/", views.two_factor, name="two_factor"),
    path("two-factor/code/", views.Code.as_view(), name="code"),
    path("two-factor/enrol/", views.Enrol.as_view(), name="enrol"),
    path("two-factor/disable/", views.Disable.as_view(), name="disable"),
    path("two-factor/recovery-codes/", views.RecoveryCodes.as_view(), name="recovery_codes"),
    path("audit/", views.audit_log, name="audit"),
]
