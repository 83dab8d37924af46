from django.urls import path

from rooms.system import views

urlpatterns = [
    path("system/", views.first, name="system"),
    path("system/health/", views.health, name="system_health"),
    path("system/options/", views.options, name="system_options"),
    path("system/records/", views.records, name="system_records"),
    path("system/programs/", views.programs, name="system_programs"),
    path("system/programs/<int:token>/revoke/", views.revoke, name="system_revoke"),
]
