from django.urls import path

from rooms.knowledge import views

urlpatterns = [
    path("knowledge/", views.first, name="knowledge"),
]
