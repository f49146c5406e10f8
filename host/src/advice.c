/* SPDX-License-Identifier: Apache-2.0 */
#include "host/advice.h"

#include <stddef.h>

static const struct {
    bl_status status;
    const char *text;
} advice[] = {
    {BL_OK, "nothing to do"},
    {BL_ARGUMENT, "report it as a bug of the device's firmware: it called "
                  "Bowline with something impossible"},
    {BL_BUFFER, "give the client on the device the buffers that "
                "bowline/client.h asks for"},
    {BL_BUSY, "wait: the device is in the middle of something else; it asks "
              "again by itself"},
    {BL_CBOR, "make the release again with bowline release; what came was "
              "damaged or built by another program"},
    {BL_ENVELOPE, "make the release again with bowline release"},
    {BL_SEVERED,
     "make the release again with bowline release; do not edit envelopes"},
    {BL_TOO_LARGE, "make the manifest smaller, or raise the device's limits "
                   "in its firmware"},
    {BL_COSE, "sign the release again with bowline release"},
    {BL_ALGORITHM, "sign with a key of a kind that the device knows: ESP256, "
                   "Ed25519 or HSS-LMS"},
    {BL_SIGNATURE, "stop the rollout: the release, or the way to the devices, "
                   "was tampered with, or signed with a key that the device's "
                   "root document does not know"},
    {BL_THRESHOLD,
     "let all keys that the release role asks for sign the release"},
    {BL_MANIFEST_DIGEST,
     "make the release again: its manifest was changed after signing"},
    {BL_DIGEST, "make the release again with bowline release"},
    {BL_MANIFEST, "make the release again with bowline release"},
    {BL_SEQUENCE_LOW,
     "release it again under a new version, or give the device a permit"},
    {BL_SEQUENCE_HIGH, "raise the sequence ceiling in a new root document, or "
                       "check who made this release"},
    {BL_COMPONENT,
     "build the release for the components that this hardware has"},
    {BL_COMPONENT_FORBIDDEN,
     "sign with a key whose role may write this component"},
    {BL_COMMAND,
     "make the release with bowline release, in the profile of docs/SPEC.md"},
    {BL_PARAMETER,
     "make the release with bowline release, in the profile of docs/SPEC.md"},
    {BL_ENCRYPTION, "release it unencrypted: TLS protects it on the way"},
    {BL_DELTA, "release the whole image, or a delta that this device's build "
               "can apply"},
    {BL_DELTA_FORMAT, "make the patch anew; the whole image is used instead"},
    {BL_DELTA_BASE, "make the patch from the image that the device runs"},
    {BL_DELTA_RAM, "make the patch with a smaller --ram"},
    {BL_DELTA_FAILED, "nothing: the whole image is fetched; look at the patch "
                      "when it happens often"},
    {BL_VENDOR, "check for which product the device is registered, and for "
                "which the release was made"},
    {BL_CLASS, "check for which product the device is registered, and for "
               "which the release was made"},
    {BL_IMAGE_MISMATCH,
     "check that the payload that was published is the one that was signed"},
    {BL_SLOT, "build the release for both slots"},
    {BL_VERSION, "roll a release out first that this one can follow; mark it "
                 "as a stepping stone"},
    {BL_EXPIRED, "release it again with a later use-before"},
    {BL_DEVICE_ID, "make a release for this device, or without a device id"},
    {BL_CONTENT, "look at what the device's component holds; the manifest "
                 "asks for something else"},
    {BL_NOT_AUTHORIZED,
     "ask the people at the device, or set a deadline for the rollout"},
    {BL_BATTERY, "charge the device, or lower the minimum in the plan"},
    {BL_ABORTED, "look at the manifest: it ends here by its own command"},
    {BL_NO_COMPATIBILITY_CHECK,
     "make the release with bowline release: it checks vendor and class"},
    {BL_CONDITION, "make the release again with bowline release"},
    {BL_FLASH, "look at the device: its flash may be worn out; replace it "
               "when it happens again"},
    {BL_READ_BACK, "look at the device: its flash may be worn out; replace it "
                   "when it happens again"},
    {BL_PAYLOAD_LONG, "check the payload on the server, and what stands "
                      "between it and the device"},
    {BL_PAYLOAD_SHORT, "check the payload on the server, and what stands "
                       "between it and the device"},
    {BL_PAYLOAD_DIGEST, "check what stands between server and device: it "
                        "changes what passes through"},
    {BL_NO_SPACE, "make the image smaller, or the slot larger"},
    {BL_TRANSPORT, "look at the device's network; it tries again by itself"},
    {BL_HTTP, "look at the server's log at that time"},
    {BL_ATTEMPTS,
     "look at the device's network; bowline device retry lets it try at once"},
    {BL_ANSWER,
     "look at what stands between server and device: it changes answers"},
    {BL_TICKET,
     "check that device and server are of versions that fit each other"},
    {BL_TICKET_SIGNATURE,
     "put the server's ticket key into the root document, and publish that"},
    {BL_TICKET_DEVICE, "check that no two devices have one id"},
    {BL_TICKET_NONCE, "nothing, when it is rare; else look for something "
                      "between that repeats old answers"},
    {BL_TICKET_DIGEST,
     "look for something between server and device that changes answers"},
    {BL_TICKET_EXPIRED,
     "check the clocks of server and device, and ticket_validity"},
    {BL_TICKET_ROOT,
     "publish the root document that the server's tickets ask for"},
    {BL_TICKET_MISSING,
     "look for something between server and device that changes answers"},
    {BL_ROOT, "make the root document again with bowline root"},
    {BL_ROOT_VERSION,
     "publish the root documents in their order, none left out"},
    {BL_ROOT_OLD_THRESHOLD,
     "let enough keys of the former root document sign the new one"},
    {BL_ROOT_NEW_THRESHOLD,
     "let enough of its own root keys sign the new root document"},
    {BL_PERMIT, "make the permit again: bowline rollout return"},
    {BL_PERMIT_SIGNATURE, "sign the permit with the keys of the release role"},
    {BL_PERMIT_EXPIRED, "make a permit with a later expiry"},
    {BL_PERMIT_TARGET,
     "make a permit for this device or product, and this release"},
    {BL_SECURITY_FLOOR, "release a mended version above the security floor; "
                        "nothing leads below it"},
    {BL_STATE_NONE, "provision the device again"},
    {BL_RESET, "stop the rollout and start the release on a device beside "
               "you: it crashes or hangs before it confirms itself"},
    {BL_HEALTH, "stop the rollout; find out which health check failed in the "
                "device's own log"},
    {BL_DEADLINE, "stop the rollout; find out why the firmware does not "
                  "confirm itself in time"},
    {BL_OPERATOR, "nothing: somebody asked for it"},
    {BL_SLOT_CORRUPT, "look at the device: its flash lost what it held; roll "
                      "a release out to it again"},
    {BL_INTERRUPTED, "nothing: it went on after a loss of power"},
    {BL_NO_IMAGE, "provision the device again: it has nothing left to start"},
};

const char *status_advice(bl_status status)
{
    for (size_t i = 0; i < sizeof advice / sizeof advice[0]; i++) {
        if (advice[i].status == status) {
            return advice[i].text;
        }
    }
    return "update the server: it does not know this code yet";
}
