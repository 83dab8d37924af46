from django.urls import path

from rooms.inbox import canned, views

urlpatterns = [
    path("inbox/", views.first, name="inbox"),
    path("inbox/canned/", canned.listed, name="inbox_canned"),
    path("inbox/canned/add/", canned.add, name="inbox_canned_add"),
    path("inbox/canned/<int:reply_id>/", canned.change, name="inbox_canned_change"),
    path("inbox/canned/<int:reply_id>/remove/", canned.remove, name="inbox_canned_remove"),
    path("inbox/canned.json", canned.told, name="inbox_canned_told"),
    path("inbox/suggest/<uuid:conversation_id>/", views.suggest, name="inbox_suggest"),
    path("inbox/report/<uuid:message_id>/", views.report, name="inbox_report"),
    path("inbox/file/<uuid:conversation_id>/<uuid:file_id>/", views.file, name="inbox_file"),
]
