"""Addresses of this topic; the names are the console's (`console:account_...`)."""

from __future__ import annotations

from django.urls import path

from sheka.faces.console.account import devices, enrol, entrance, views

urlpatterns = [
    path("sign-in", entrance.sign_in, name="sign_in"),
    path("sign-in/code", entrance.second_factor, name="second_factor"),
    path("sign-in/recovery", entrance.recovery, name="account_recovery"),
    path("sign-out", entrance.sign_out, name="sign_out"),
    path("enrol", enrol.begin, name="account_enrol"),
    path("enrol/password", enrol.password, name="account_enrol_password"),
    path("enrol/device", enrol.device, name="account_enrol_device"),
    path("enrol/key", enrol.key, name="account_enrol_key"),
    path("account", views.account, name="account"),
    path("account/password", views.password, name="account_password"),
    path("account/sign-ins", views.sign_ins, name="account_sign_ins"),
    path("account/session", views.session, name="account_session"),
    path("account/session/stay", views.stay, name="account_stay"),
    path("account/sessions/<uuid:session>/end", views.end_session, name="account_end_session"),
    path("account/devices/authenticator", devices.authenticator, name="account_authenticator"),
    path("account/devices/authenticator/confirm", devices.confirm_authenticator, name="account_authenticator_confirm"),
    path("account/devices/key", devices.key, name="account_key"),
    path("account/devices/key/register", devices.register_key, name="account_key_register"),
    path("account/devices/<slug:kind>/<int:number>/remove", devices.remove, name="account_remove_device"),
    path("account/devices/recovery-codes", devices.recovery_codes, name="account_recovery_codes"),
]
