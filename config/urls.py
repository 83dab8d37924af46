"""HTTP routes."""

from django.contrib import admin
from django.urls import include, path

from api.routes import api
from chatbot import files, views

urlpatterns = [
    path("", views.demo, name="demo"),
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("metrics", views.metrics, name="metrics"),
    path("look/<str:key>/", views.look, name="look"),
    path("files/", files.upload, name="upload"),
    path("files/<str:signed>/", files.download, name="download"),
    path("api/v1/", api.urls),
    path("staff/", include("console.urls")),
    path("staff/", include("rooms.urls")),
    path("admin/", admin.site.urls),
]
