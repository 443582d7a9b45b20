package textform

import (
	"errors"
	"strings"
	"testing"
)

func TestAmount(t *testing.T) {
	for text, want := range map[string]string{
		"0": "0", "100": "100", " 7 ": "7", "007": "7", "1fil": "1000000000000000000", "1 FIL": "1000000000000000000", "1.5fil": "1500000000000000000",
		"1.5 Fil": "1500000000000000000", ".5fil": "500000000000000000", "0.000000000000000001FIL": "1", "100 attofil": "100", "100aFIL": "100",
		"3 nanofil": "3000000000", "0.000000001 nanoFIL": "1", "2.5 picofil": "2500000", "1 femtofil": "1000", "1 microfil": "1000000000000",
		"1µFIL": "1000000000000", "1 millifil": "1000000000000000", "1\tmFIL": "1000000000000000", "21 gwei": "21000000000", "2000000000fil": "2000000000000000000000000000",
	} {
		if v, err := Amount(text); err != nil || v.String() != want {
			t.Errorf("%q: %v, %v, want %s", text, v, err, want)
		}
	}
	for text, says := range map[string]string{
		"": "want whole attoFIL", "fil": "want whole attoFIL", ".fil": "want whole", ".": "want whole", "-1": "negative", "- 1fil": "negative", "+1": "want whole",
		"1.5": "or FIL as 1.5fil", "1.": "no digit follows the point", "1.fil": "no digit follows", "1.fil.": "want whole", "1.2.3fil": "want whole", "0.0000000000000000001fil": "19 digits follow the point",
		"1.5attofil": "1 digit follows the point", "0.0000000001 nanofil": "of nanofil at most 9", "1e3": "exponents", "1e18fil": "exponents", "1.5E-3 FIL": "exponents",
		"0x10": "want whole", "1_000": "without marks", "1,000": "without marks", "1,5 fil": "without marks", "1 000": "without marks", "1 eth": "there is no unit eth",
		"5 dollars": "there is no unit dollars", "$5": "want whole", "many": "there is no unit many", "1fil2": "want whole", "１": "want whole", strings.Repeat("9", 400): "too large", strings.Repeat("9", 5000): "too large",
	} {
		if v, err := Amount(text); !errors.Is(err, ErrNoReading) || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v, %v, want %q", text, v, err, says)
		}
	}
}

func FuzzAmount(f *testing.F) {
	for _, s := range []string{"0", "1.5fil", "3 nanofil", "1e3", ".5 FIL"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, err := Amount(s)
		if err != nil {
			return
		}
		if again, err := Amount(v.String()); err != nil || !again.Equals(v) || v.Sign() < 0 {
			t.Errorf("%q is %s, and that is %v, %v", s, v, again, err)
		}
		if _, err := v.MarshalBinary(); err != nil {
			t.Errorf("%q: %v", s, err)
		}
	})
}
