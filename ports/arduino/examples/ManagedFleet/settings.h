/* SPDX-License-Identifier: Apache-2.0 */
// What is yours. VERSION is what `bowline release --version` is given.
#pragma once

#define WIFI_NAME ".........."
#define WIFI_PASSWORD ".........."
#define SERVER "https://updates.example.com:8443"
#define VERSION "1.0.0"

// `bowline device add` says the id, and puts the token into a file. As bytes:
// echo ID | xxd -r -p | xxd -i
static const uint8_t DEVICE_ID[16] = {0x00};
#define TOKEN ".........."

// The server's certificate, or its authority's.
static const char SERVER_CERT[] = "-----BEGIN CERTIFICATE-----\n"
                                  "...\n"
                                  "-----END CERTIFICATE-----\n";

// The root document: xxd -i root-1.cbor
static const uint8_t ROOT_DOCUMENT[] = {0x00};
