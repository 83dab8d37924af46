from django.urls import path

from rooms.system import views

urlpatterns = [
    path("system/", views.first, name="system"),
]
