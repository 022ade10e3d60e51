package postgres

import (
	"encoding/binary"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

// registerTexts makes []string a cheap argument. Mail is stored by the batch, a column an array, and pgx encodes array
// elements one by one into a buffer that grows by doubling: as much garbage as all else that storing a message makes.
func registerTexts(conn *pgx.Conn) {
	types := conn.TypeMap()
	array, _ := types.TypeForOID(pgtype.TextArrayOID)
	types.RegisterType(&pgtype.Type{Name: array.Name, OID: array.OID, Codec: textArrays{array.Codec}})
}

// textArrays is text[], as pgx has it but for the plan of []string.
type textArrays struct{ pgtype.Codec }

func (a textArrays) PlanEncode(m *pgtype.Map, oid uint32, format int16, value any) pgtype.EncodePlan {
	if _, ok := value.([]string); ok && format == pgtype.BinaryFormatCode {
		return encodeTexts{}
	}
	return a.Codec.PlanEncode(m, oid, format, value)
}

type encodeTexts struct{}

// Encode writes the number of dimensions, whether there are nulls, the type of the elements, their number and the
// lowest index, and then each element behind its length (array_recv in PostgreSQL's arrayfuncs.c).
func (encodeTexts) Encode(value any, buf []byte) ([]byte, error) {
	texts := value.([]string)
	room := 20
	for _, text := range texts {
		room += 4 + len(text)
	}
	number := binary.BigEndian.AppendUint32
	buf = slices.Grow(buf, room)
	if len(texts) == 0 {
		return number(number(number(buf, 0), 0), pgtype.TextOID), nil
	}
	buf = number(number(number(number(number(buf, 1), 0), pgtype.TextOID), uint32(len(texts))), 1)
	for _, text := range texts {
		buf = append(number(buf, uint32(len(text))), text...)
	}
	return buf, nil
}
