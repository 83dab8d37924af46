from django.urls import path

from rooms.insights import views

urlpatterns = [
    path("insights/", views.first, name="insights"),
    path("insights/export.csv", views.export, {"form": "csv"}, name="insights_csv"),
    path("insights/export.json", views.export, {"form": "json"}, name="insights_json"),
]
