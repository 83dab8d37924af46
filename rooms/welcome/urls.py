from django.urls import path

from rooms.welcome import views

urlpatterns = [
    path("welcome/", views.first, name="welcome"),
    path("welcome/leave/", views.leave, name="welcome_leave"),
    path("welcome/documents/now/", views.documents, name="welcome_documents"),
    path("welcome/<slug:step>/", views.step, name="welcome_step"),
]
