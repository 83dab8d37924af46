from django.urls import path

from rooms.sites import views

SITE = "sites/<int:site>/"

urlpatterns = [
    path("sites/", views.first, name="sites"),
    path("sites/new/", views.new, name="site_new"),
    path(SITE, views.embed, name="site"),
    path(SITE + "settings/", views.settings, name="site_settings"),
    path(SITE + "hours/", views.hours, name="site_hours"),
    path(SITE + "look/", views.looks, name="site_look"),
    path(SITE + "preview/", views.preview, name="site_preview"),
    path(SITE + "data/", views.data, name="site_data"),
    path(SITE + "secret/", views.secret, name="site_secret"),
    path(SITE + "key/", views.key, name="site_key"),
    path(SITE + "delete/", views.delete, name="site_delete"),
]
