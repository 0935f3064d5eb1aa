/* SPDX-License-Identifier: ISC
 *
 * Keys and signatures that minisign 0.11 and signify 31 made. SAMPLE_MESSAGE is what they signed.
 */
#ifndef TEST_RELEASE_SAMPLES_H
#define TEST_RELEASE_SAMPLES_H

#define SAMPLE_MESSAGE "drover\n"
#define SAMPLE_COMMENT "drover release product=web version=1.4.2"

/* minisign -G -W */
#define SAMPLE_ID "011484585855CBCA"
#define SAMPLE_PUBLIC                                                                              \
	"untrusted comment: minisign public key 11484585855CBCA\n"                                 \
	"RWTKy1VYWIQUAbWsIBFJtsuRS2+xqJGuTaWAdtLRrBmvw37nYx+KiBTJ\n"
#define SAMPLE_SECRET                                                                              \
	"untrusted comment: minisign encrypted secret key\n"                                       \
	"RWQAAEIyAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"                 \
	"ystVWFiEFAFCnoMqrtDxLZv4eOEDzFzxT9e/fHB0Lk9p6br5YIWezLWsIBFJtsuRS2+xqJGu"                 \
	"TaWAdtLRrBmvw37nYx+KiBTJAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
/* minisign -S -l */
#define SAMPLE_PLAIN                                                                               \
	"untrusted comment: untrusted words\n"                                                     \
	"RWTKy1VYWIQUAcSNnF3a2sZZmSLbJs+VtcEObPnbVQ6mkUnAtK55jmvkIb0Wj/+VEHwBtW0Q"                 \
	"8OXlp+30+ufdyv+drLvnBVyhMgA=\n"                                                           \
	"trusted comment: drover release product=web version=1.4.2\n"                              \
	"aEAodcpXk/PcPfDwW3x/Br3Q9UXiJsK158A3fQShLdq2O3K3XygRTSerrhrMimFPWR7chiyR"                 \
	"swgPWtc+tNL+Aw==\n"
/* minisign -S */
#define SAMPLE_PREHASHED                                                                           \
	"untrusted comment: signature from minisign secret key\n"                                  \
	"RUTKy1VYWIQUAXqi91PM4kJoxPKj690oTX8LhjjPhP8mQXzzf4B1LD38uLfx/EL75XuPaOZT"                 \
	"JX7gpGT27QLNAQR9XlebAuZxTQ0=\n"                                                           \
	"trusted comment: drover release product=web version=1.4.2\n"                              \
	"+deJCRQPG0VyC4RFPH6QA8Yhb6TIp6vEu/Pas72lmuAkbTbQ4rLzzBCo1nfqdPbOAmowtsKx"                 \
	"hePvfP97gUPfBw==\n"

/* minisign -G, the password is "pw" */
#define SAMPLE_LOCKED_PUBLIC                                                                       \
	"untrusted comment: minisign public key 1707001B96657A0F\n"                                \
	"RWQPemWWGwAHF5noVMnSjgMO7Bc1FBndsTdzGMSw15y4MiBAs90c7eEK\n"
#define SAMPLE_LOCKED_SECRET                                                                       \
	"untrusted comment: minisign encrypted secret key\n"                                       \
	"RWRTY0IywUOrzQf/xTiP9JJRITjlVshvbKyVowFM5OG6jgY93U0AAAACAAAAAAAAAEAAAAAA"                 \
	"LurbtukVDePDONR5Te1sO5vbvNTBswqMIFb9XDhRedTc2VPEf2C+nL3TopqbmP13LcemvpIa"                 \
	"F207IcsjxFfq+WUiTQGD4mS664OsDcayGgb4LxUGUAhaAGtUZWMZ0XeYezwkXALBkdw=\n"

/* signify -G -n, signify -S */
#define SAMPLE_SIGNIFY_PUBLIC                                                                      \
	"untrusted comment: signify public key\n"                                                  \
	"RWTBm6LM97+Pe8SAQ0V05Tr625AiBVV2BuIqz9UyrpJuh18sOiYxcWy1\n"
#define SAMPLE_SIGNIFY_SECRET                                                                      \
	"untrusted comment: signify secret key\n"                                                  \
	"RWRCSwAAAAAGGStwoNXM2ACpOTgs0lSLwDqtIYgVudTBm6LM97+Pe+EOQRamBJN/8NVYxxlm"                 \
	"UUeNyVcEBa5zZ+z8Cl9xhnu7xIBDRXTlOvrbkCIFVXYG4irP1TKukm6HXyw6JjFxbLU=\n"
#define SAMPLE_SIGNIFY_SIGNATURE                                                                   \
	"untrusted comment: verify with s.pub\n"                                                   \
	"RWTBm6LM97+Pe/FOY2gAJvfV//TyJCk04gFKEarnDg+Dmeez4SNVdz4XdrNIr9dsWYUBkhkw"                 \
	"TFgZ5/0YoUC6qWCU2xNzrl9Xswg=\n"

#endif
