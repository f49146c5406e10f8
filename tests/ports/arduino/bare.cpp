/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The least of a sketch. With BARE_LIBRARY it includes the library's header
 * and uses nothing of it, which is the hardest case for the linker: even then
 * the core must not confirm a new image.
 */
#include <Arduino.h>

#ifdef BARE_LIBRARY
#include <BowlineOTA.h>
#endif

void setup()
{
    Serial.println("ready");
}

void loop()
{
    delay(10);
}
